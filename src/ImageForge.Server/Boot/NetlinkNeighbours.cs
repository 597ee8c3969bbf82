using System.Net;
using System.Runtime.InteropServices;
using ImageForge.Contracts;

namespace ImageForge.Server.Boot;

/// <summary>
/// The kernel's neighbour table over rtnetlink (rtnetlink(7)). Request: nlmsghdr (length u32, type u16, flags u16, sequence u32,
/// port u32) + ndmsg (family u8, pad 3, ifindex i32, state u16, flags u8, type u8). Reply: the same, followed by attributes
/// (length u16, type u16, value padded to 4). All in the byte order of the machine.
/// </summary>
internal static partial class NetlinkNeighbours
{
    private const int AfNetlink = 16, SockRaw = 3, SockCloseOnExec = 0x80000, AfInet6 = 10;
    private const ushort GetNeighbour = 30, NewNeighbour = 28, Done = 3, Error = 2;
    private const ushort DumpRequest = 0x301;
    private const ushort DestinationAttribute = 1, LinkAddressAttribute = 2;

    // NUD_REACHABLE, STALE, DELAY, PROBE, PERMANENT: states in which the kernel has seen the MAC answer.
    private const ushort Resolved = 0x02 | 0x04 | 0x08 | 0x10 | 0x80;

    public static MacAddress? Find(IPAddress address)
    {
        var wanted = address.GetAddressBytes();
        var socket = Socket(AfNetlink, SockRaw | SockCloseOnExec, 0);
        if (socket < 0)
            return null;
        try
        {
            Span<byte> request = stackalloc byte[28];
            request.Clear();
            MemoryMarshal.Write(request, 28);
            MemoryMarshal.Write(request[4..], GetNeighbour);
            MemoryMarshal.Write(request[6..], DumpRequest);
            request[16] = AfInet6;
            if (Send(socket, ref MemoryMarshal.GetReference(request), request.Length, 0) != request.Length)
                return null;
            var buffer = new byte[64 * 1024];
            while (true)
            {
                var received = (int)Receive(socket, ref buffer[0], buffer.Length, 0);
                if (received <= 0)
                    return null;
                if (Read(buffer.AsSpan(0, received), wanted, out var mac))
                    return mac;
            }
        }
        finally
        {
            _ = Close(socket);
        }
    }

    /// <summary>True when the answer is complete: found, the end of the dump, or an error.</summary>
    internal static bool Read(ReadOnlySpan<byte> messages, ReadOnlySpan<byte> wanted, out MacAddress? mac)
    {
        mac = null;
        while (messages.Length >= 16)
        {
            var length = MemoryMarshal.Read<int>(messages);
            var type = MemoryMarshal.Read<ushort>(messages[4..]);
            if (length < 16 || length > messages.Length || type is Done or Error)
                return true;
            if (type == NewNeighbour && length >= 28 && (MemoryMarshal.Read<ushort>(messages[24..]) & Resolved) != 0)
                mac = Match(messages[28..length], wanted);
            if (mac is not null)
                return true;
            messages = messages[Math.Min(messages.Length, (length + 3) & ~3)..];
        }
        return false;
    }

    private static MacAddress? Match(ReadOnlySpan<byte> attributes, ReadOnlySpan<byte> wanted)
    {
        var same = false;
        MacAddress? mac = null;
        while (attributes.Length >= 4)
        {
            var length = MemoryMarshal.Read<ushort>(attributes);
            if (length < 4 || length > attributes.Length)
                break;
            var value = attributes[4..length];
            var type = MemoryMarshal.Read<ushort>(attributes[2..]);
            if (type == DestinationAttribute)
                same = value.SequenceEqual(wanted);
            else if (type == LinkAddressAttribute && value.Length == 6)
                mac = new MacAddress(value);
            attributes = attributes[Math.Min(attributes.Length, (length + 3) & ~3)..];
        }
        return same && mac is { IsUsable: true } ? mac : null;
    }

    [LibraryImport("libc", EntryPoint = "socket", SetLastError = true)]
    private static partial int Socket(int domain, int type, int protocol);

    [LibraryImport("libc", EntryPoint = "send", SetLastError = true)]
    private static partial nint Send(int socket, ref byte buffer, nint length, int flags);

    [LibraryImport("libc", EntryPoint = "recv", SetLastError = true)]
    private static partial nint Receive(int socket, ref byte buffer, nint length, int flags);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    private static partial int Close(int file);
}
