using System.Globalization;

namespace ImageForge.NetBoot.Tftp;

/// <summary>What client and server agreed on for one transfer.</summary>
/// <param name="BlockSize">Bytes per block: 512 (RFC 1350) unless blksize was asked for (RFC 2348).</param>
/// <param name="WindowSize">Blocks per ACK: 1 unless windowsize was asked for (RFC 7440).</param>
/// <param name="Timeout">the first and longest wait between retransmissions the client asked for (RFC 2349), or null.</param>
/// <param name="Acknowledged">The options the OACK lists; none: the transfer starts with block 1 at once.</param>
internal sealed record TftpAgreement(int BlockSize, int WindowSize, TimeSpan? Timeout, IReadOnlyList<KeyValuePair<string, long>> Acknowledged)
{
    /// <param name="refused">Options we know whose value makes no sense: left out of the OACK, as if unknown (RFC 2347).</param>
    public static TftpAgreement Negotiate(TftpRequest request, long length, TftpServerOptions limits, out int refused)
    {
        var (blockSize, windowSize, timeout) = (512, 1, (TimeSpan?)null);
        var acknowledged = new List<KeyValuePair<string, long>>();
        refused = 0;
        foreach (var (name, text) in request.Options)
        {
            var known = name is "blksize" or "windowsize" or "timeout" or "tsize";
            if (!known || acknowledged.Exists(o => o.Key == name))
                continue;
            if (!long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) || Answer(name, value, length, limits) is not { } answer)
            {
                refused++;
                continue;
            }
            acknowledged.Add(new(name, answer));
            if (name == "blksize")
                blockSize = (int)answer;
            else if (name == "windowsize")
                windowSize = (int)answer;
            else if (name == "timeout")
                timeout = TimeSpan.FromSeconds(answer);
        }
        return new TftpAgreement(blockSize, windowSize, timeout, acknowledged);
    }

    /// <summary>Null when the value is outside what the RFC allows. Sizes may be answered smaller, the timeout only as asked.</summary>
    private static long? Answer(string name, long value, long length, TftpServerOptions limits) => name switch
    {
        "blksize" when value is >= 8 and <= 65464 => Math.Min(value, limits.MaxBlockSize),
        "windowsize" when value is >= 1 and <= 65535 => Math.Min(value, limits.MaxWindowSize),
        "timeout" when value is >= 1 and <= 255 => value,
        "tsize" => length,
        _ => null,
    };
}
