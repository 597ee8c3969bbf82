using System.Buffers.Binary;
using System.Net;
using System.Runtime.InteropServices;

namespace ImageForge.NetBoot.Sockets;

/// <summary>struct sockaddr_in (ip(7)): family in host order, port and address in network order. Comparable as a value.</summary>
[StructLayout(LayoutKind.Sequential, Size = 16)]
internal readonly record struct InternetAddress
{
    private readonly ushort _family;
    private readonly ushort _port;
    private readonly uint _address;
    private readonly ulong _zero;

    public InternetAddress(IPEndPoint endPoint)
    {
        Span<byte> bytes = stackalloc byte[4];
        if (!endPoint.Address.TryWriteBytes(bytes, out var length) || length != 4)
            throw new ArgumentException($"{endPoint} is not IPv4");
        _family = Libc.InternetFamily;
        _port = BinaryPrimitives.ReverseEndianness((ushort)endPoint.Port);
        _address = MemoryMarshal.Read<uint>(bytes);
    }

    /// <summary>The address alone, to count by source.</summary>
    public uint Host => _address;

    /// <summary>True when address and port are the same; the kernel leaves the padding alone, but nobody promises it.</summary>
    public bool IsSame(InternetAddress other) => _address == other._address && _port == other._port;

    public IPEndPoint ToEndPoint() => new(new IPAddress(_address), BinaryPrimitives.ReverseEndianness(_port));
}
