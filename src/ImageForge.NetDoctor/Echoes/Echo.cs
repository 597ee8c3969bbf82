using System.Buffers.Binary;

namespace ImageForge.NetDoctor.Echoes;

internal enum EchoKind : byte
{
    /// <summary>To a group that the listeners joined.</summary>
    Joined = 1,

    /// <summary>To a group that nobody joined: only a network that floods brings it.</summary>
    Unjoined = 2,

    /// <summary>To everybody: tells whether two interfaces are in one segment at all.</summary>
    Broadcast = 3,
}

/// <summary>The test packet: "IFdoctor", the run's 8 random bytes, interface index i32 big-endian, kind.</summary>
internal static class Echo
{
    public const int Length = 21;
    private static ReadOnlySpan<byte> Magic => "IFdoctor"u8;

    public static byte[] Write(ulong run, int interfaceIndex, EchoKind kind)
    {
        var bytes = new byte[Length];
        Magic.CopyTo(bytes);
        BinaryPrimitives.WriteUInt64BigEndian(bytes.AsSpan(8), run);
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(16), interfaceIndex);
        bytes[20] = (byte)kind;
        return bytes;
    }

    public static bool TryRead(ReadOnlySpan<byte> bytes, ulong run, out int interfaceIndex, out EchoKind kind)
    {
        (interfaceIndex, kind) = (0, default);
        if (bytes.Length != Length || !bytes.StartsWith(Magic) || BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]) != run || bytes[20] is < 1 or > 3)
            return false;
        (interfaceIndex, kind) = (BinaryPrimitives.ReadInt32BigEndian(bytes[16..]), (EchoKind)bytes[20]);
        return true;
    }
}
