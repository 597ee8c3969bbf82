namespace ImageForge.Imaging.FileSystems;

/// <summary>Collects what is used but not to be read. Rounding goes towards read: a block that something else shares is read.</summary>
internal sealed class SkippedMap(UsedMap used)
{
    public BlockMap Blocks { get; } = new(used.Blocks.BlockCount);

    /// <returns>Bytes skipped; those of whole blocks only.</returns>
    /// <exception cref="DamagedVolumeException">The range is not inside the volume, or not used, or claimed twice.</exception>
    public long Mark(long offset, long count, string file)
    {
        if (count == 0)
            return 0;
        var size = used.BlockSize;
        var (first, end) = ((offset + size - 1) / size, (offset + count) / size);
        if (offset < 0 || count < 0 || end > Blocks.BlockCount)
            throw new DamagedVolumeException($"{file} points outside the volume");
        if (end <= first)
            return 0;
        if (used.Blocks.CountUsed(first, end - first) != end - first)
            throw new DamagedVolumeException($"{file} lies where nothing is allocated");
        if (Blocks.CountUsed(first, end - first) > 0)
            throw new DamagedVolumeException($"{file} claims a cluster twice");
        Blocks.Set(first, end - first);
        return (end - first) * size;
    }

    public bool Reaches(long offset, long count)
    {
        var first = offset / used.BlockSize;
        return count > 0 && Blocks.CountUsed(first, (offset + count - 1) / used.BlockSize - first + 1) > 0;
    }
}
