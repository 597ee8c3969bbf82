using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace ImageForge.NetBoot.Tftp;

/// <summary>A read request that can be served, if the file is there.</summary>
/// <param name="Path">Normalised by <see cref="TftpPath"/>.</param>
/// <param name="Netascii">Text mode: line ends become CR LF.</param>
/// <param name="Options">Names in lower case, in the order sent.</param>
internal sealed record TftpRequest(string Path, bool Netascii, IReadOnlyList<KeyValuePair<string, string>> Options);

/// <summary>Why a request is not served, and what the client is told; no answer when <paramref name="Code"/> is null.</summary>
internal sealed record TftpRequestDefect(TftpIgnoreReason Reason, TftpErrorCode? Code = null, string Message = "");

/// <summary>
/// Reads what arrives on the request port (RFC 1350 §5, options RFC 2347):
/// <code>opcode(2) filename NUL mode NUL [ option NUL value NUL ]…</code>
/// </summary>
internal static class TftpRequestParser
{
    /// <summary>RFC 2347 §"Packet Formats": a request has at most 512 bytes. Real ones with long paths are a little longer.</summary>
    public const int LongestRequest = 1024;

    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    public static bool TryParse(ReadOnlySpan<byte> packet, [NotNullWhen(true)] out TftpRequest? request, [NotNullWhen(false)] out TftpRequestDefect? defect)
    {
        request = null;
        defect = null;
        if (packet.Length < 2)
            return Fail(new(TftpIgnoreReason.TooShort), out defect);
        if (packet.Length > LongestRequest)
            return Fail(new(TftpIgnoreReason.TooLong), out defect);
        switch ((TftpOpcode)BinaryPrimitives.ReadUInt16BigEndian(packet))
        {
            case TftpOpcode.ReadRequest:
                break;
            case TftpOpcode.WriteRequest:
                return Fail(new(TftpIgnoreReason.WriteRefused, TftpErrorCode.AccessViolation, "this server is read-only"), out defect);
            // Never answered: two servers that answer each other's errors never stop.
            case TftpOpcode.Data or TftpOpcode.Acknowledgement or TftpOpcode.Error or TftpOpcode.OptionAcknowledgement:
                return Fail(new(TftpIgnoreReason.NotARequest), out defect);
            default:
                return Fail(new(TftpIgnoreReason.UnknownOpcode), out defect);
        }

        var rest = packet[2..];
        if (!TryReadString(ref rest, out var name) || !TryReadString(ref rest, out var mode))
            return Fail(new(TftpIgnoreReason.BadString), out defect);
        var netascii = mode.Equals("netascii", StringComparison.OrdinalIgnoreCase);
        if (mode.Equals("mail", StringComparison.OrdinalIgnoreCase))
            return Fail(new(TftpIgnoreReason.MailMode, TftpErrorCode.IllegalOperation, "mail mode is obsolete (RFC 1350)"), out defect);
        if (!netascii && !mode.Equals("octet", StringComparison.OrdinalIgnoreCase))
            return Fail(new(TftpIgnoreReason.UnknownMode, TftpErrorCode.IllegalOperation, "unknown mode, use octet"), out defect);
        if (!TftpPath.TryNormalise(name, out var path))
            return Fail(new(TftpIgnoreReason.BadPath, TftpErrorCode.AccessViolation, "this path is not allowed"), out defect);

        var options = new List<KeyValuePair<string, string>>();
        while (!rest.IsEmpty)
        {
            // Some ROMs pad the request with NULs.
            if (rest.IndexOfAnyExcept((byte)0) < 0)
                break;
            if (!TryReadString(ref rest, out var option) || !TryReadString(ref rest, out var value))
                return Fail(new(TftpIgnoreReason.BadString), out defect);
            options.Add(new(option.ToLowerInvariant(), value));
        }
        request = new TftpRequest(path, netascii, options);
        return true;
    }

    private static bool TryReadString(ref ReadOnlySpan<byte> rest, [NotNullWhen(true)] out string? text)
    {
        text = null;
        var nul = rest.IndexOf((byte)0);
        if (nul < 0)
            return false;
        if (!IsUtf8(rest[..nul]))
            return false;
        text = Strict.GetString(rest[..nul]);
        rest = rest[(nul + 1)..];
        return true;
    }

    private static bool IsUtf8(ReadOnlySpan<byte> bytes) => System.Text.Unicode.Utf8.IsValid(bytes);

    private static bool Fail(TftpRequestDefect why, out TftpRequestDefect defect)
    {
        defect = why;
        return false;
    }
}
