namespace ImageForge.Multicast.Frames;

/// <summary>What a session carries, the same on both sides.</summary>
/// <param name="plainLengths">Plain bytes of each chunk, by chunk number; at most 16 MiB each.</param>
public sealed class SessionContent(IReadOnlyList<int> plainLengths)
{
    public int Chunks => plainLengths.Count;

    /// <summary>Plain bytes of a chunk.</summary>
    public int PlainLength(int chunk) => plainLengths[chunk];

    /// <summary>Longest frame that can hold the chunk: zstd's own bound for incompressible content (ZSTD_COMPRESSBOUND).</summary>
    public int LongestFrame(int chunk)
    {
        var plain = plainLengths[chunk];
        return plain + (plain >> 8) + (plain < 128 << 10 ? ((128 << 10) - plain) >> 11 : 0);
    }
}
