using System.Security.Cryptography;
using ImageForge.Multicast.Messages;
using ImageForge.Multicast.Packets;

namespace ImageForge.Multicast.Sending;

/// <summary>What makes an epoch: random, in memory only, told to members and to nobody else.</summary>
internal sealed class EpochKey(uint epoch) : IDisposable
{
    private readonly byte[] _key = RandomNumberGenerator.GetBytes(WelcomeMessage.KeyBytes);
    private readonly byte[] _salt = RandomNumberGenerator.GetBytes(WelcomeMessage.SaltBytes);

    public uint Epoch => epoch;

    public uint Tag { get; } = BitConverter.ToUInt32(RandomNumberGenerator.GetBytes(4));

    public PacketSeal NewSeal(int fragmentBytes) => PacketSeal.Create(_key, _salt, fragmentBytes);

    public WelcomeMessage Welcome(int member, GroupEndpoint group, int fragmentBytes, int chunks) => new(
        ControlMessage.Version, (ushort)member, epoch, Tag, [.. _key], [.. _salt], group.Group, (ushort)group.Port, (ushort)fragmentBytes, (uint)chunks);

    public void Dispose() => CryptographicOperations.ZeroMemory(_key);
}
