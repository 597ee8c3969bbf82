using System.Numerics;
using ImageForge.Imaging.Chunks;
using ImageForge.Imaging.Disks;
using ImageForge.Imaging.FileSystems;

namespace ImageForge.Imaging.Manifests;

/// <summary>Turns the decompressed body (README.md, <em>Body</em>) into a manifest, or says what is wrong with it.</summary>
internal static class BodyParser
{
    private const uint MostRunsAtOnce = 4 << 20;

    public static Manifest? Parse(ReadOnlyMemory<byte> body, out string? problem)
    {
        var reader = new BodyReader(body);
        var manifest = ReadManifest(reader);
        reader.Require(reader.Left == 0, $"{reader.Left} bytes follow the last volume");
        problem = reader.Problem
            ?? Extents.Problem(manifest.DiskSizeBytes, manifest.SectorSize, manifest.Regions, [.. manifest.Volumes.Select(v => v.Header.Partition)], manifest.Gpt);
        return problem is null ? manifest : null;
    }

    private static Manifest ReadManifest(BodyReader reader)
    {
        var diskSize = reader.I64();
        var sectorSize = reader.I32();
        var scheme = reader.U8();
        var model = reader.Text();
        reader.Require(sectorSize is 512 or 4096, $"{sectorSize} is not a sector size");
        reader.Require(diskSize is > 0 and <= ManifestFormat.MaxDiskBytes && (sectorSize == 0 || diskSize % sectorSize == 0), $"{diskSize} is not a disk size");
        reader.Require(scheme <= (byte)PartitionScheme.Gpt, $"partition scheme {scheme} is unknown");
        var gpt = reader.IsSound && scheme == (byte)PartitionScheme.Gpt ? ReadGpt(reader, sectorSize) : null;

        var regions = new List<ManifestRegion>();
        var regionCount = reader.U16();
        long regionBytes = 0;
        reader.Require(regionCount <= ManifestFormat.MaxRegions, $"{regionCount} raw regions are too many");
        for (var i = 0; i < regionCount && reader.IsSound; i++)
        {
            var region = ReadRegion(reader, sectorSize);
            regions.Add(region);
            reader.Require((regionBytes += region.Bytes.Length) <= ManifestFormat.MaxRegionBytes, "the raw regions are too large");
        }

        var volumes = new List<ManifestVolume>();
        var volumeCount = reader.U16();
        reader.Require(volumeCount <= ManifestFormat.MaxVolumes, $"{volumeCount} volumes are too many");
        for (var i = 0; i < volumeCount && reader.IsSound; i++)
            if (ReadVolume(reader, diskSize, sectorSize) is { } volume)
                volumes.Add(volume);
        return new Manifest(diskSize, sectorSize, model, (PartitionScheme)scheme, gpt, regions, volumes);
    }

    private static GptTable ReadGpt(BodyReader reader, int sectorSize)
    {
        var guid = reader.Guid();
        long sectors = reader.I64(), firstUsable = reader.I64(), lastUsable = reader.I64();
        long primary = reader.I64(), backup = reader.I64(), header = reader.I64();
        int count = reader.I32(), size = reader.I32();
        reader.Require(count > 0 && (long)count * size <= ManifestFormat.MaxGptBytes && size is >= 128 and <= 4096 && BitOperations.IsPow2(size), $"a GPT of {count} entries of {size} bytes is not possible");
        var entries = reader.Bytes(reader.IsSound ? count * (long)size : 0).ToArray();
        var boot = reader.Bytes(sectorSize).ToArray();
        return new GptTable(sectorSize, sectors, guid, firstUsable, lastUsable, primary, backup, header, count, size, entries, boot);
    }

    private static ManifestRegion ReadRegion(BodyReader reader, int sectorSize)
    {
        var kind = reader.U8();
        var offset = reader.I64();
        var length = reader.I32();
        reader.Require(kind <= (byte)RawRegionKind.Zeros, $"raw region kind {kind} is unknown");
        reader.Require(length > 0 && sectorSize > 0 && length % sectorSize == 0, $"a raw region of {length} bytes is not whole sectors");
        return kind == (byte)RawRegionKind.Zeros
            ? new ManifestRegion(RawRegionKind.Zeros, offset, default, reader.IsSound ? length : 0)
            : new ManifestRegion((RawRegionKind)kind, offset, reader.Bytes(length));
    }

    private static ManifestVolume? ReadVolume(BodyReader reader, long diskSize, int sectorSize)
    {
        var partition = new Partition(reader.I32(), reader.I64(), reader.I64(), reader.Text() ?? "", reader.Text(), reader.Text(), reader.U64());
        var fileSystem = reader.U8();
        string? uuid = reader.Text(), label = reader.Text(), note = reader.Text();
        int blockSize = reader.I32(), chunkSize = reader.I32();
        reader.Require(partition.Length > 0 && partition.Offset % sectorSize == 0 && partition.Length % sectorSize == 0, "a volume is not whole sectors");
        reader.Require(partition.Offset <= diskSize - partition.Length, "a volume reaches beyond the disk");
        reader.Require(fileSystem <= (byte)FileSystemKind.Lvm, $"file system {fileSystem} is unknown");
        reader.Require(ChunkSizes.IsValid(chunkSize), $"{chunkSize} is not a chunk size");
        reader.Require(BitOperations.IsPow2(blockSize) && blockSize >= sectorSize && blockSize <= chunkSize, $"{blockSize} is not a block size");
        if (!reader.IsSound)
            return null;
        reader.Require((partition.Length + chunkSize - 1) / chunkSize <= ManifestFormat.MaxChunksPerVolume, "a volume has too many chunks");
        if (!reader.IsSound)
            return null;
        var header = new VolumeHeader(partition, (FileSystemKind)fileSystem, uuid, label, note, blockSize, chunkSize);
        var damaged = ReadDamaged(reader, partition, sectorSize);
        return reader.IsSound ? ReadChunks(reader, header, damaged) : null;
    }

    /// <summary>One spelling here too: whole sectors, ascending, joined where they touch.</summary>
    private static List<DamagedRange> ReadDamaged(BodyReader reader, Partition partition, int sectorSize)
    {
        var ranges = new List<DamagedRange>();
        var count = reader.U16();
        reader.Require(count <= ManifestFormat.MaxDamagedRanges, $"{count} damaged ranges are too many");
        var free = -1L;
        for (var i = 0; i < count && reader.IsSound; i++)
        {
            var range = new DamagedRange(reader.I64(), reader.I64());
            reader.Require(range.Offset > free && range.Length > 0 && range.Offset % sectorSize == 0 && range.Length % sectorSize == 0 && range.Offset <= partition.Length - range.Length,
                "a damaged range is impossible");
            free = range.End;
            ranges.Add(range);
        }
        return ranges;
    }

    private static ManifestVolume? ReadChunks(BodyReader reader, VolumeHeader header, List<DamagedRange> damaged)
    {
        var runCount = reader.U32();
        // The smallest run takes two bytes and covers a chunk: a count that cannot fit is refused before the loop.
        reader.Require(runCount <= (uint)reader.Left / 2 && runCount <= (uint)header.ChunkCount, $"{runCount} runs are more than fit");
        if (!reader.IsSound)
            return null;
        // At most 52 MB on a mere claim, and exact up to 4 TB of the smallest changes; beyond, memory grows with what is really there.
        var builder = new ChunkRuns.Builder((int)Math.Min(runCount, MostRunsAtOnce));
        long chunks = 0, mapBytes = 0, ids = 0;
        var fullMap = ManifestVolume.MapBytes(header.ChunkSize / header.BlockSize);
        for (uint i = 0; i < runCount && reader.IsSound; i++)
        {
            var kind = (RunKind)reader.U8();
            var count = reader.VarInt();
            // A loop over millions: no text is made before it is needed.
            reader.Require(kind <= RunKind.PartlyData, "a chunk kind is unknown");
            reader.Require(count > 0 && kind != builder.LastKind, "a run is empty or repeats the one before");
            chunks += count;
            reader.Require(chunks <= header.ChunkCount, "the runs cover more chunks than the volume has");
            if (!reader.IsSound)
                return null;
            builder.Add(kind, (int)count);
            ids += ChunkRuns.HasId(kind) ? count : 0;
            mapBytes += ChunkRuns.HasMap(kind) ? count * (long)fullMap : 0;
            if (ChunkRuns.HasMap(kind) && chunks == header.ChunkCount)
                mapBytes -= fullMap - ManifestVolume.MapBytes(header.ChunkBlocks(header.ChunkCount - 1));
        }
        reader.Require(chunks == header.ChunkCount, "the runs do not cover the volume");
        var maps = reader.Bytes(mapBytes);
        var idBytes = reader.Bytes(ids * ChunkId.Size);
        if (!reader.IsSound)
            return null;
        var volume = new ManifestVolume(header, builder.Build(), maps, idBytes, damaged);
        foreach (var chunk in volume.Chunks())
            if (chunk.IsPartlyUsed)
                CheckMap(reader, header, chunk);
        return volume;
    }

    /// <summary>One spelling for everything: a map that says all or none, or sets spare bits, is not what a writer makes.</summary>
    private static void CheckMap(BodyReader reader, VolumeHeader header, in ManifestChunk chunk)
    {
        var blocks = header.ChunkBlocks(chunk.Index);
        var used = 0;
        foreach (var b in chunk.UsedBits.Span)
            used += BitOperations.PopCount(b);
        reader.Require((blocks & 7) == 0 || chunk.UsedBits.Span[^1] >> (blocks & 7) == 0, "a block map has bits beyond its chunk");
        reader.Require(used > 0 && used < blocks, "the block map of a partly used chunk says all or none");
    }
}
