using ImageForge.Multicast.Packets;

namespace ImageForge.Multicast.Sending;

/// <summary>A packet that the core wants sent, with the sequence it gave it.</summary>
/// <param name="Index">Of the fragment in its group, or the parity row.</param>
internal readonly record struct PlannedPacket(PacketKind Kind, ulong Sequence, uint Block, int Group, int Index);
