using ImageForge.Imaging.Disks;

namespace ImageForge.Imaging.Manifests;

/// <summary>The rules about where things lie: inside the disk, in disk order, nothing on top of anything else.</summary>
internal static class Extents
{
    /// <summary>The first rule that is broken, or null.</summary>
    /// <param name="partitions">Of the volumes, in their order.</param>
    public static string? Problem(long diskSize, int sectorSize, IReadOnlyList<ManifestRegion> regions, IReadOnlyList<Partition> partitions, GptTable? gpt)
    {
        var end = 0L;
        foreach (var region in regions)
        {
            if (region.Offset < end || region.Offset % sectorSize != 0)
                return "raw regions overlap or are out of order";
            if (region.Offset > diskSize - region.Length)
                return "a raw region reaches beyond the disk";
            end = region.End;
        }
        end = 0;
        foreach (var partition in partitions)
        {
            if (partition.Offset < end)
                return "volumes overlap or are out of order";
            if (partition.Length <= 0 || partition.Offset % sectorSize != 0 || partition.Length % sectorSize != 0)
                return "a volume is not whole sectors";
            if (partition.Offset > diskSize - partition.Length)
                return "a volume reaches beyond the disk";
            end = partition.End;
        }
        foreach (var region in regions)
            foreach (var partition in partitions)
                if (region.Offset < partition.End && region.End > partition.Offset)
                    return "a raw region lies in a volume";
        if (partitions.Select(p => p.Number).Distinct().Count() != partitions.Count)
            return "two volumes have one number";
        return gpt is null ? null : Problem(gpt, diskSize / sectorSize);
    }

    /// <summary>What <see cref="GptWriter.Rebuild"/> relies on.</summary>
    private static string? Problem(GptTable gpt, long sectors)
    {
        var entrySectors = GptWriter.EntriesSectors(gpt);
        if (gpt.DiskSectors != sectors)
            return "the GPT is that of a disk of another size";
        if (gpt.PrimaryEntriesLba < 2 || gpt.PrimaryEntriesLba > gpt.FirstUsableLba - entrySectors)
            return "the GPT's entries lie where partitions may";
        if (gpt.BackupEntriesLba < 2 || gpt.BackupEntriesLba > sectors - entrySectors || gpt.BackupHeaderLba < 2 || gpt.BackupHeaderLba >= sectors)
            return "the GPT's second copy lies outside the disk";
        // An empty table may leave no room at all.
        if (gpt.FirstUsableLba > gpt.LastUsableLba + 1 || gpt.LastUsableLba >= sectors)
            return "the GPT's usable range is not on the disk";
        foreach (var entry in GptEntry.ParseAll(gpt.Entries, gpt.EntryCount, gpt.EntrySize))
            if ((ulong)entry.FirstLba > (ulong)entry.LastLba || (ulong)entry.LastLba >= (ulong)sectors)
                return "a GPT entry reaches beyond the disk";
        return null;
    }
}
