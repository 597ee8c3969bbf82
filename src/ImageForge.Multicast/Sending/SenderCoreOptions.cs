namespace ImageForge.Multicast.Sending;

/// <summary>What a <see cref="SenderCore"/> is told once. Times are microseconds of its clock.</summary>
/// <param name="Start">Members to wait for, and when it starts anyway.</param>
/// <param name="SequenceEnd">An epoch ends before it.</param>
/// <param name="KeptBytes">Bytes of blocks that can be repaired at once.</param>
internal sealed record SenderCoreOptions(
    int FragmentBytes,
    int Batch,
    uint Epoch,
    double? PacketsPerSecond,
    (int WaitFor, long? Until) Start,
    ulong SequenceEnd = uint.MaxValue,
    long KeptBytes = 64 << 20);

/// <summary>A message for a member.</summary>
/// <param name="Message">Null: the welcome of the present epoch, whose key the core does not know.</param>
internal readonly record struct Outgoing(int Member, Messages.ControlMessage? Message);
