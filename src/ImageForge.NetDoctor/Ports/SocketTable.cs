using System.Buffers.Binary;
using System.Globalization;
using System.Net;

namespace ImageForge.NetDoctor.Ports;

/// <param name="Inode">Names the socket below /proc/*/fd.</param>
internal sealed record BoundSocket(string Transport, IPAddress Address, int Port, long Inode);

/// <summary>
/// /proc/net/udp, udp6, tcp, tcp6 (proc(5)): number, local address:port, remote, state, queues, timer, retransmits, uid, timeout, inode.
/// Addresses are hexadecimal digits of 32-bit words in host order. Of TCP only what listens (state 0A) counts.
/// </summary>
internal static class SocketTable
{
    private const string Listening = "0A";

    public static IReadOnlyList<BoundSocket> Read(string folder = "/proc/self/net") =>
        [.. from file in (string[])["udp", "udp6", "tcp", "tcp6"]
            let path = Path.Combine(folder, file)
            where File.Exists(path)
            from socket in Parse(file[..3], File.ReadAllText(path))
            select socket];

    internal static IEnumerable<BoundSocket> Parse(string transport, string text)
    {
        foreach (var line in text.Split('\n').Skip(1))
        {
            var fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (fields.Length < 10 || (transport == "tcp" && fields[3] != Listening) || !TryAddress(fields[1], out var address, out var port)
                || !long.TryParse(fields[9], CultureInfo.InvariantCulture, out var inode))
                continue;
            yield return new BoundSocket(transport, address, port, inode);
        }
    }

    private static bool TryAddress(string text, out IPAddress address, out int port)
    {
        (address, port) = (IPAddress.None, 0);
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        if (colon is not (8 or 32) || !int.TryParse(text.AsSpan(colon + 1), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out port))
            return false;
        var bytes = new byte[colon / 2];
        for (var i = 0; i < colon; i += 8)
        {
            if (!uint.TryParse(text.AsSpan(i, 8), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var word))
                return false;
            BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(i / 2), word);
        }
        address = new IPAddress(bytes);
        return true;
    }
}
