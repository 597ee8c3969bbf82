using ImageForge.Imaging.Disks;

namespace ImageForge.Imaging.Manifests;

/// <summary>The rules about where things lie: inside the disk, in disk order, nothing on top of anything else.</summary>
internal static class Extents
{
    public static void Check(Manifest manifest, BodyReader reader)
    {
        var end = 0L;
        foreach (var region in manifest.Regions)
        {
            reader.Require(region.Offset >= end && region.Offset % manifest.SectorSize == 0, "raw regions overlap or are out of order");
            reader.Require(region.Offset <= manifest.DiskSizeBytes - region.Bytes.Length, "a raw region reaches beyond the disk");
            end = region.Offset + region.Bytes.Length;
        }
        end = 0;
        foreach (var volume in manifest.Volumes)
        {
            reader.Require(volume.Header.Partition.Offset >= end, "volumes overlap or are out of order");
            end = volume.Header.Partition.End;
        }
        foreach (var region in manifest.Regions)
            foreach (var volume in manifest.Volumes)
                reader.Require(region.Offset >= volume.Header.Partition.End || region.Offset + region.Bytes.Length <= volume.Header.Partition.Offset, "a raw region lies in a volume");
        reader.Require(manifest.Volumes.Select(v => v.Header.Partition.Number).Distinct().Count() == manifest.Volumes.Count, "two volumes have one number");
        if (manifest.Gpt is { } gpt)
            CheckGpt(gpt, manifest, reader);
    }

    private static void CheckGpt(GptTable gpt, Manifest manifest, BodyReader reader)
    {
        var sectors = manifest.DiskSizeBytes / manifest.SectorSize;
        var entrySectors = (gpt.Entries.LongLength + gpt.SectorSize - 1) / gpt.SectorSize;
        reader.Require(gpt.DiskSectors == sectors, "the GPT is that of a disk of another size");
        reader.Require(gpt.PrimaryEntriesLba >= 2 && gpt.PrimaryEntriesLba <= sectors - entrySectors, "the GPT's entries lie outside the disk");
        reader.Require(gpt.BackupEntriesLba >= 2 && gpt.BackupEntriesLba <= sectors - entrySectors, "the GPT's second entries lie outside the disk");
        reader.Require(gpt.BackupHeaderLba >= 2 && gpt.BackupHeaderLba < sectors, "the GPT's second header lies outside the disk");
        reader.Require(gpt.FirstUsableLba >= 2 && gpt.FirstUsableLba <= gpt.LastUsableLba && gpt.LastUsableLba < sectors, "the GPT's usable range is not on the disk");
    }
}
