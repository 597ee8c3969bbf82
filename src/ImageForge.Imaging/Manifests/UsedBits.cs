namespace ImageForge.Imaging.Manifests;

/// <summary>The used-block map of one chunk, applied to its bytes. An empty map means that every block is used.</summary>
internal static class UsedBits
{
    /// <summary>Zeroes what is not used, so that equal content has one hash whatever lay in its free blocks.</summary>
    public static void ClearUnused(ReadOnlySpan<byte> bits, int blockSize, Span<byte> plain)
    {
        if (bits.IsEmpty)
            return;
        var end = 0;
        for (var from = 0; Next(bits, blockSize, plain.Length, from, out var start, out var length); from = end)
        {
            plain[end..start].Clear();
            end = start + length;
        }
        plain[end..].Clear();
    }

    /// <summary>The next run of used bytes at or after <paramref name="from"/> (a block boundary).</summary>
    public static bool Next(ReadOnlySpan<byte> bits, int blockSize, int chunkLength, int from, out int start, out int length)
    {
        (start, length) = (from, 0);
        if (bits.IsEmpty)
        {
            length = chunkLength - from;
            return length > 0;
        }
        var blocks = (chunkLength + blockSize - 1) / blockSize;
        var first = Find(bits, from / blockSize, blocks, used: true);
        var end = Find(bits, first, blocks, used: false);
        start = (int)Math.Min((long)first * blockSize, chunkLength);
        length = (int)Math.Min((long)end * blockSize, chunkLength) - start;
        return length > 0;
    }

    /// <summary>First byte used and the byte after the last; (0, length) for an empty map.</summary>
    public static (int Start, int End) Span(ReadOnlySpan<byte> bits, int blockSize, int chunkLength)
    {
        if (bits.IsEmpty)
            return (0, chunkLength);
        var blocks = (chunkLength + blockSize - 1) / blockSize;
        var first = Find(bits, 0, blocks, used: true);
        var end = blocks;
        while (end > first && (bits[(end - 1) >> 3] >> ((end - 1) & 7) & 1) == 0)
            end--;
        return ((int)Math.Min((long)first * blockSize, chunkLength), (int)Math.Min((long)end * blockSize, chunkLength));
    }

    private static int Find(ReadOnlySpan<byte> bits, int from, int blocks, bool used)
    {
        var skip = used ? (byte)0 : (byte)0xFF;
        for (var i = from; i < blocks;)
        {
            if ((i & 7) == 0 && bits[i >> 3] == skip)
                i += 8;
            else if ((bits[i >> 3] >> (i & 7) & 1) != 0 == used)
                return i;
            else
                i++;
        }
        return blocks;
    }
}
