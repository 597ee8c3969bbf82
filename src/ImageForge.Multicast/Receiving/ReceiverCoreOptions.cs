namespace ImageForge.Multicast.Receiving;

/// <summary>What a <see cref="ReceiverCore"/> is told once. Times are microseconds.</summary>
/// <param name="Scale">Multiplies the waits for repair.</param>
/// <param name="SocketPackets">Packets that wait in the socket without loss.</param>
/// <param name="OpenBytes">Bytes of blocks that may wait for repair at once.</param>
internal sealed record ReceiverCoreOptions(long Patience, double Scale = 1, int SocketPackets = 4096, long OpenBytes = 24 << 20);

/// <summary>What only the driver knows, for reports.</summary>
/// <param name="HasRoom">The sink takes a block more without waiting.</param>
internal readonly record struct ReceiverStatus(bool HasRoom, ulong Refused, ulong Drops, uint WaitingBytes, MemberLimit Limit);

internal enum Admission
{
    /// <summary>It is open: count on.</summary>
    Open,

    /// <summary>It is whole, unwanted, given up or turned away.</summary>
    Ignore,
}
