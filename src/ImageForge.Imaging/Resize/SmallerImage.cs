using System.Buffers.Binary;
using ImageForge.Imaging.Chunks;
using ImageForge.Imaging.Deploy;
using ImageForge.Imaging.Disks;
using ImageForge.Imaging.FileSystems;
using ImageForge.Imaging.Manifests;

namespace ImageForge.Imaging.Resize;

/// <summary>The manifest of the smaller disk: shrunk volumes, those behind them further forward, and tables of the new size.</summary>
internal sealed class SmallerImage(Manifest image, IChunkSource source, IChunkSink sink)
{
    private const int Level = 3;

    /// <param name="shrunk">By position in the image.</param>
    /// <param name="changes">Bytes lost, negative, by partition number.</param>
    public async Task<Manifest> MakeAsync(long diskBytes, IReadOnlyDictionary<int, ManifestVolume> shrunk, IReadOnlyDictionary<int, long> changes, CancellationToken cancel)
    {
        var layout = new Relayout(image, changes);
        var volumes = new List<ManifestVolume>();
        for (var i = 0; i < image.Volumes.Count; i++)
        {
            var partition = image.Volumes[i].Header.Partition;
            var volume = shrunk.GetValueOrDefault(i) ?? image.Volumes[i];
            var offset = layout.OffsetOf(partition);
            if (offset != partition.Offset)
                volume = await MoveAsync(volume, partition.Offset, offset, cancel);
            volumes.Add(volume);
        }
        var gpt = layout.Gpt() is { } table ? ForSize(table, diskBytes) : null;
        return image with { DiskSizeBytes = diskBytes, Volumes = volumes, Gpt = gpt, Regions = Regions(layout, gpt, diskBytes) };
    }

    private static GptTable ForSize(GptTable table, long diskBytes)
    {
        var sectors = diskBytes / table.SectorSize;
        var backup = sectors - 1 - GptWriter.EntriesSectors(table);
        return table with
        {
            DiskSectors = sectors,
            LastUsableLba = backup - 1,
            BackupEntriesLba = backup,
            BackupHeaderLba = sectors - 1,
            BootSector = MbrReader.WithProtectiveSize(table.BootSector, table.DiskSectors, sectors),
        };
    }

    private static List<ManifestRegion> Regions(Relayout layout, GptTable? gpt, long diskBytes)
    {
        var regions = layout.Regions();
        if (gpt is null)
            return regions;
        regions.RemoveAll(r => r.Kind is RawRegionKind.GptPrimary or RawRegionKind.GptBackup or RawRegionKind.BootSector);
        var written = GptWriter.Rebuild(gpt, diskBytes, gpt.SectorSize).ToDictionary(w => w.Offset, w => w.Bytes);
        regions.Add(new ManifestRegion(RawRegionKind.BootSector, 0, written[0]));
        // Header and entries lie side by side except where a maker chose otherwise; then the table's structure says enough.
        if (gpt.PrimaryEntriesLba == 2)
            regions.Add(new ManifestRegion(RawRegionKind.GptPrimary, gpt.SectorSize, (byte[])[.. written[gpt.SectorSize], .. written[2L * gpt.SectorSize]]));
        regions.Add(new ManifestRegion(RawRegionKind.GptBackup, gpt.BackupEntriesLba * gpt.SectorSize,
            (byte[])[.. written[gpt.BackupEntriesLba * gpt.SectorSize], .. written[gpt.BackupHeaderLba * gpt.SectorSize]]));
        return [.. regions.OrderBy(r => r.Offset)];
    }

    /// <summary>The same content at another place, its boot sector and NTFS's copy of it telling the new one.</summary>
    private async Task<ManifestVolume> MoveAsync(ManifestVolume volume, long from, long to, CancellationToken cancel)
    {
        var header = volume.Header with { Partition = volume.Header.Partition with { Offset = to } };
        var ids = volume.Ids.ToArray();
        if (header.FileSystem is FileSystemKind.Ntfs or FileSystemKind.Fat12 or FileSystemKind.Fat16 or FileSystemKind.Fat32 && volume[0].Kind == ChunkKind.Data)
        {
            long? copyAt = null;
            await ChangeAsync(volume, ids, 0, plain =>
            {
                copyAt = header.FileSystem == FileSystemKind.Ntfs ? HiddenSectors.NtfsCopyAt(plain) : null;
                HiddenSectors.Move(plain, header.FileSystem, from, to);
            }, cancel);
            if (copyAt is { } at && at / header.ChunkSize is > 0 and var index && index < volume.ChunkCount && volume[(int)index].Kind == ChunkKind.Data)
                await ChangeAsync(volume, ids, (int)index, plain =>
                {
                    var copy = plain.AsSpan((int)(at % header.ChunkSize));
                    if (copy.Length >= 512 && HiddenSectors.NtfsCopyAt(copy) == at)
                        HiddenSectors.MoveOne(copy, BinaryPrimitives.ReadUInt16LittleEndian(copy[11..]), from, to);
                }, cancel);
        }
        return new ManifestVolume(header, volume.Runs, volume.Maps, ids, volume.Damaged);
    }

    private async Task ChangeAsync(ManifestVolume volume, byte[] ids, int index, Action<byte[]> change, CancellationToken cancel)
    {
        var chunk = volume[index];
        var plain = new byte[chunk.Length];
        var frame = new byte[ChunkFrame.MaxLength(chunk.Length)];
        var length = await source.ReadFrameAsync(chunk.Id, frame, cancel);
        using (var zstd = new ZstdDecompressor())
            if (!ChunkFrame.TryOpen(zstd, chunk.Id, frame.AsSpan(0, length), plain))
                throw DeployFailures.Corrupt(volume.Header, chunk);
        change(plain);
        var id = ChunkId.Of(plain);
        if ((await sink.MissingAsync([id], cancel))[0])
        {
            frame = new byte[ZstdCompressor.Bound(plain.Length)];
            using var zstd = new ZstdCompressor();
            length = zstd.Compress(plain, frame, Level);
            await sink.StoreAsync(id, plain.Length, frame.AsMemory(0, length), cancel);
        }
        var run = volume.Runs.Run(volume.Runs.RunOf(index));
        id.CopyTo(ids.AsSpan((run.FirstId + index - run.First) * ChunkId.Size));
    }
}
