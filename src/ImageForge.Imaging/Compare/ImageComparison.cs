using ImageForge.Imaging.Chunks;
using ImageForge.Imaging.Disks;
using ImageForge.Imaging.Manifests;

namespace ImageForge.Imaging.Compare;

/// <summary>
/// What differs between two images: by chunk ids where both were cut alike, which reads nothing but the manifests; else by content.
/// Used blocks of the second image count.
/// </summary>
public sealed class ImageComparison(Manifest first, Manifest second, IChunkSource source)
{
    public async Task<DiskDifference> RunAsync(CancellationToken cancel)
    {
        var volumes = new List<VolumeDifference>();
        foreach (var number in first.Volumes.Concat(second.Volumes).Select(v => v.Header.Partition.Number).Distinct().Order())
        {
            var a = first.Volumes.FirstOrDefault(v => v.Header.Partition.Number == number);
            var b = second.Volumes.FirstOrDefault(v => v.Header.Partition.Number == number);
            if (a is null || b is null)
                volumes.Add(OneSided((a ?? b)!, a is null ? "only in the second" : "only in the first"));
            else if (a.Header.Partition.Length != b.Header.Partition.Length)
                volumes.Add(OneSided(b, "sizes differ"));
            else
                volumes.Add(a.Header.ChunkSize == b.Header.ChunkSize ? ByIds(a, b) : await ByContentAsync(a, b, cancel));
        }
        return new DiskDifference(volumes, Tables());
    }

    private static VolumeDifference OneSided(ManifestVolume volume, string why) => new VolumeTally(volume).ToDifference() with { BytesDifferent = volume.UsedBytes, Only = why };

    private static VolumeDifference ByIds(ManifestVolume a, ManifestVolume b)
    {
        var tally = new VolumeTally(b).ToDifference();
        var ranges = new List<ByteRange>();
        long compared = 0, different = 0, bytes = 0;
        foreach (var (left, right) in a.Chunks().Zip(b.Chunks()))
        {
            if (right.Kind == ChunkKind.Unused && left.Kind == ChunkKind.Unused)
                continue;
            compared++;
            if (left.Kind == right.Kind && left.Id == right.Id && left.UsedBits.Span.SequenceEqual(right.UsedBits.Span))
                continue;
            different++;
            bytes += b.UsedBytesOf(right);
            if (ranges.Count > 0 && ranges[^1] is var last && last.Offset + last.Length == right.VolumeOffset)
                ranges[^1] = last with { Length = last.Length + right.Length };
            else
                ranges.Add(new ByteRange(right.VolumeOffset, right.Length));
        }
        return tally with { ChunksCompared = compared, ChunksDifferent = different, BytesDifferent = bytes, Ranges = ranges, RangeCount = ranges.Count };
    }

    /// <summary>Two chunk sizes: the second image's used blocks are looked for in the first's content.</summary>
    private async Task<VolumeDifference> ByContentAsync(ManifestVolume a, ManifestVolume b, CancellationToken cancel)
    {
        Manifest Alone(Manifest of, ManifestVolume volume) => new(volume.Header.Partition.Length, of.SectorSize, null, PartitionScheme.None, null, [],
            [new ManifestVolume(volume.Header with { Partition = new Partition(0, 0, volume.Header.Partition.Length, "", null, null, 0) }, volume.Runs, volume.Maps, volume.Ids)]);
        using var disk = new StoredDisk("the first image", Alone(first, a), source);
        var difference = await new DiskComparison(disk, Alone(second, b), source).RunAsync(cancel);
        return difference.Volumes[0] with { Number = b.Header.Partition.Number, Name = b.Header.Partition.Name ?? b.Header.Label ?? "" };
    }

    private List<string> Tables()
    {
        var found = new List<string>();
        if (first.Scheme != second.Scheme)
            found.Add("kind of partition table");
        else if (first.DiskSizeBytes != second.DiskSizeBytes)
            found.Add("size of the disk");
        foreach (var kind in Enum.GetValues<RawRegionKind>())
            if (kind is not (RawRegionKind.GptBackup) && !Bytes(first, kind).SequenceEqual(Bytes(second, kind)))
                found.Add(kind switch { RawRegionKind.BootSector => "boot sector", RawRegionKind.GptPrimary => "partition table", RawRegionKind.Gap => "sectors before the first partition", _ => "extended boot records" });
        return found;

        static IEnumerable<byte> Bytes(Manifest manifest, RawRegionKind kind) => manifest.Regions.Where(region => region.Kind == kind).SelectMany(region => region.Bytes.ToArray());
    }
}
