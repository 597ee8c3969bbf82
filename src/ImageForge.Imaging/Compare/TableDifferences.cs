using ImageForge.Imaging.Deploy;
using ImageForge.Imaging.Disks;
using ImageForge.Imaging.Manifests;

namespace ImageForge.Imaging.Compare;

/// <summary>Compares everything outside the volumes with what a deploy would have written there.</summary>
internal static class TableDifferences
{
    public static IReadOnlyList<string> Find(IBlockDevice disk, Manifest manifest, WritePlan plan)
    {
        var found = new List<string>();
        foreach (var write in plan.Tables.OrderBy(write => write.Offset))
        {
            using var buffer = AlignedBuffer.Rent(write.Bytes.Length);
            disk.Read(write.Offset, buffer.Span);
            if (!buffer.Span.SequenceEqual(write.Bytes) && Name(write.Offset, disk.SectorSize, manifest, plan) is var name && !found.Contains(name))
                found.Add(name);
        }
        return found;
    }

    private static string Name(long offset, int sectorSize, Manifest manifest, WritePlan plan)
    {
        if (offset == 0)
            return "boot sector";
        var kind = manifest.Regions.FirstOrDefault(region => region.Offset <= offset && offset < region.Offset + region.Bytes.Length)?.Kind;
        if (kind is RawRegionKind.Ebr)
            return "extended boot records";
        if (kind is RawRegionKind.Gap)
            return "sectors before the first partition";
        if (manifest.Gpt is not { } gpt)
            return "partition table";
        return offset >= plan.DiskSizeBytes / sectorSize * sectorSize - (GptWriter.EntriesSectors(gpt) + 1) * sectorSize ? "second copy of the partition table" : "first copy of the partition table";
    }
}
