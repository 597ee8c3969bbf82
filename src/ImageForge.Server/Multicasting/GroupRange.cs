using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;
using System.Numerics;

namespace ImageForge.Server.Multicasting;

/// <summary>A prefix of multicast groups.</summary>
internal sealed class GroupRange
{
    private readonly UInt128 _first;

    private GroupRange(IPNetwork network)
    {
        Network = network;
        _first = Number(network.BaseAddress);
    }

    public IPNetwork Network { get; }

    private int Bits => Network.BaseAddress.AddressFamily == AddressFamily.InterNetwork ? 32 : 128;

    /// <summary>Groups in it; at most 2^32 are counted.</summary>
    public long Count => 1L << Math.Min(Bits - Network.PrefixLength, 32);

    public IPAddress this[long index]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((ulong)index, (ulong)Count, nameof(index));
            Span<byte> bytes = stackalloc byte[16];
            BinaryPrimitives.WriteUInt128BigEndian(bytes, _first + (UInt128)index);
            return new IPAddress(Bits == 32 ? bytes[12..] : bytes);
        }
    }

    public static bool TryParse(string? text, [NotNullWhen(true)] out GroupRange? range)
    {
        range = IPNetwork.TryParse(text, out var network) ? new GroupRange(network) : null;
        return range is not null;
    }

    public bool Contains(IPAddress address) => Network.Contains(address);

    /// <summary>Whether the two share a group.</summary>
    public bool Overlaps(IPNetwork other) => other.Contains(Network.BaseAddress) || Network.Contains(other.BaseAddress);

    public override string ToString() => Network.ToString();

    private static UInt128 Number(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[16];
        bytes.Clear();
        var length = address.GetAddressBytes().Length;
        address.TryWriteBytes(bytes[(16 - length)..], out _);
        return BinaryPrimitives.ReadUInt128BigEndian(bytes);
    }
}
