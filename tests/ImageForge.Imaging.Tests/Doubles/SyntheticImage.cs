using ImageForge.Imaging.Chunks;
using ImageForge.Imaging.Disks;
using ImageForge.Imaging.FileSystems;
using ImageForge.Imaging.Manifests;
using ImageForge.Imaging.Tests.Layouts;

namespace ImageForge.Imaging.Tests.Doubles;

/// <summary>
/// An image without real file systems: three GPT volumes with every kind of chunk (all used, partly used, zero, partly zero,
/// unused, a short last one), built directly, so that a deploy can be tested byte by byte.
/// </summary>
internal sealed class SyntheticImage
{
    public required MemoryDisk Source { get; init; }
    public required Manifest Manifest { get; init; }
    public required string Hash { get; init; }
    public required MemoryChunkStore Store { get; init; }

    /// <param name="random">Decides content and maps.</param>
    /// <param name="disc">It has the descriptors of a bootable disc from byte 32768.</param>
    public static SyntheticImage Make(Random random, int sectorSize = 512, int chunkSize = 64 << 10, int scale = 1, PartitionScheme scheme = PartitionScheme.Gpt, bool disc = false,
        FileSystemKind fileSystem = FileSystemKind.Unknown)
    {
        const long Mib = 1 << 20;
        (long, long)[] places = scheme == PartitionScheme.None
            ? [(0, 13 * Mib * scale)]
            : [(Mib, 2 * Mib * scale), (Mib + 2 * Mib * scale, 5 * Mib * scale + 3 * 4096), (2 * Mib + 7 * Mib * scale, 3 * Mib * scale)];
        var source = new MemoryDisk(13 * Mib * scale, sectorSize);
        Fill(source, random);
        if (disc)
            WriteDiscRecords(source);
        var regions = new List<ManifestRegion>();
        GptTable? gpt = null;
        if (scheme == PartitionScheme.Gpt)
        {
            TestGpt.WriteTo(source, places);
            var layout = Assert.IsType<PartitionTableReading.Found>(PartitionTables.Read(source)).Layout;
            gpt = layout.Gpt;
            regions = [.. layout.RawRegions.OrderBy(r => r.Offset).Select(r => new ManifestRegion(r.Kind, r.Offset, Read(source, r.Offset, r.Length)))];
        }
        else if (scheme == PartitionScheme.Mbr)
        {
            var boot = Read(source, 0, sectorSize);
            boot.AsSpan(446, 64).Clear();
            for (var i = 0; i < places.Length; i++)
                HandMadeChain.Entry(boot, i, 0x83, (uint)(places[i].Item1 / sectorSize), (uint)(places[i].Item2 / sectorSize));
            source.Write(0, boot);
            regions =
            [
                new(RawRegionKind.BootSector, 0, boot), new(RawRegionKind.Gap, sectorSize, Read(source, sectorSize, Mib - sectorSize)),
                // As between a boot record and its logical partition, in the free room behind the second volume.
                new(RawRegionKind.Ebr, places[2].Item1 - 65536, Read(source, places[2].Item1 - 65536, sectorSize)), new(RawRegionKind.Zeros, places[2].Item1 - 65536 + sectorSize, default, 65536 - sectorSize),
            ];
        }
        var store = new MemoryChunkStore();
        var volumes = places.Select((place, i) => Volume(source, store, random, new Partition(i + 1, place.Item1, place.Item2, "type", null, $"part {i + 1}", 0), chunkSize, i, fileSystem)).ToList();
        var manifest = new Manifest(source.SizeBytes, sectorSize, "synthetic", scheme, gpt, regions, volumes);
        return new SyntheticImage { Source = source, Manifest = manifest, Hash = ManifestHash.Of(ManifestWriter.Write(manifest)), Store = store };
    }

    /// <summary>The next version: the same layout and maps, other content in <paramref name="share"/> of the data chunks.</summary>
    public SyntheticImage Changed(Random random, double share)
    {
        var source = new MemoryDisk(Source.SizeBytes, Source.SectorSize);
        for (long at = 0; at < source.SizeBytes; at += 1 << 20)
            source.Write(at, Read(Source, at, Math.Min(1 << 20, source.SizeBytes - at)));
        var volumes = new List<ManifestVolume>();
        foreach (var volume in Manifest.Volumes)
        {
            var ids = volume.Ids.ToArray();
            var number = 0;
            foreach (var chunk in volume.Chunks().Where(c => c.Kind == ChunkKind.Data))
            {
                if (random.NextDouble() < share)
                {
                    var (start, _) = UsedBits.Span(chunk.UsedBits.Span, volume.Header.BlockSize, chunk.Length);
                    var at = volume.Header.Partition.Offset + chunk.VolumeOffset;
                    var block = new byte[Math.Min(volume.Header.BlockSize, chunk.Length - start)];
                    random.NextBytes(block);
                    source.Write(at + start, block);
                    var plain = Read(source, at, chunk.Length);
                    UsedBits.ClearUnused(chunk.UsedBits.Span, volume.Header.BlockSize, plain);
                    var id = ChunkId.Of(plain);
                    Store.Frames[id] = Frame(plain);
                    id.CopyTo(ids.AsSpan(number * ChunkId.Size));
                }
                number++;
            }
            volumes.Add(new ManifestVolume(volume.Header, volume.Runs, volume.Maps, ids));
        }
        var manifest = Manifest with { Volumes = volumes };
        return new SyntheticImage { Source = source, Manifest = manifest, Hash = ManifestHash.Of(ManifestWriter.Write(manifest)), Store = Store };
    }

    public static byte[] Read(IBlockDevice disk, long offset, long length)
    {
        using var buffer = AlignedBuffer.Rent((int)length);
        disk.Read(offset, buffer.Span);
        return buffer.Span.ToArray();
    }

    /// <summary>A primary descriptor, an El Torito boot record that names a catalogue, and the end of the set.</summary>
    public static void WriteDiscRecords(MemoryDisk disk)
    {
        var set = new byte[8192];
        foreach (var (at, type) in (ReadOnlySpan<(int, byte)>)[(0, 1), (2048, 0), (4096, 255)])
        {
            set[at] = type;
            "CD001"u8.CopyTo(set.AsSpan(at + 1));
            set[at + 6] = 1;
        }
        "EL TORITO SPECIFICATION"u8.CopyTo(set.AsSpan(2048 + 7));
        set[2048 + 0x47] = 24;
        disk.Write(32768, set);
    }

    private static void Fill(MemoryDisk disk, Random random)
    {
        var page = new byte[64 << 10];
        for (long at = 0; at < disk.SizeBytes; at += page.Length)
        {
            random.NextBytes(page);
            // Half of it compresses.
            page.AsSpan(page.Length / 2).Fill((byte)random.Next(256));
            disk.Write(at, page);
        }
    }

    private static ManifestVolume Volume(MemoryDisk source, MemoryChunkStore store, Random random, Partition partition, int chunkSize, int kind, FileSystemKind fileSystem)
    {
        const int BlockSize = 4096;
        var blocks = (partition.Length + BlockSize - 1) / BlockSize;
        var map = kind == 0 ? BlockMap.AllUsed(blocks) : new BlockMap(blocks);
        if (kind > 0)
        {
            map.Set(0, 2);
            for (long b = 2; b < blocks;)
            {
                var run = Math.Min(random.Next(1, 2 * chunkSize / BlockSize), blocks - b);
                if (random.Next(3) > 0)
                    map.Set(b, run);
                // Some used runs are zero.
                if (random.Next(4) == 0)
                    source.WriteZeros(partition.Offset + b * BlockSize, Math.Min(run * BlockSize, partition.Length - b * BlockSize));
                b += run;
            }
        }
        var builder = new ManifestVolumeBuilder(partition, new VolumeContent(fileSystem, BlockSize, map, null, null, null), chunkSize);
        var candidate = 0;
        for (var i = 0; i < builder.Header.ChunkCount; i++)
        {
            var usage = builder.UsageOf(i);
            if (usage == ChunkUsage.None)
                continue;
            var plain = Read(source, partition.Offset + (long)i * chunkSize, builder.Header.ChunkLength(i));
            UsedBits.ClearUnused(usage == ChunkUsage.Some ? builder.BitsOf(i) : [], builder.Header.BlockSize, plain);
            if (plain.AsSpan().ContainsAnyExcept((byte)0))
            {
                var id = ChunkId.Of(plain);
                store.Frames[id] = Frame(plain);
                builder.SetData(candidate, id);
            }
            candidate++;
        }
        return builder.Build();
    }

    public static byte[] Frame(ReadOnlySpan<byte> plain, int level = 1)
    {
        using var zstd = new ZstdCompressor();
        var frame = new byte[ZstdCompressor.Bound(plain.Length)];
        return frame[..zstd.Compress(plain, frame, level)];
    }
}
