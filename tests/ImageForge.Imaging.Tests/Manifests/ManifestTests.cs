using System.Security.Cryptography;
using ImageForge.Imaging.Chunks;
using ImageForge.Imaging.Disks;
using ImageForge.Imaging.FileSystems;
using ImageForge.Imaging.Manifests;
using ImageForge.Imaging.Tests.Doubles;

namespace ImageForge.Imaging.Tests.Manifests;

public sealed class ManifestTests
{
    internal static Manifest Parse(byte[] file)
    {
        Assert.True(ManifestParser.TryParse(file, out var manifest, out var failure), failure?.Sentence);
        return manifest;
    }

    [Theory]
    [InlineData(512, 64 << 10, PartitionScheme.Gpt)]
    [InlineData(4096, 1 << 20, PartitionScheme.Gpt)]
    [InlineData(512, 4 << 20, PartitionScheme.Mbr)]
    [InlineData(4096, 16 << 20, PartitionScheme.None)]
    public void Comes_back_as_it_was_written_and_is_written_the_same_again(int sectorSize, int chunkSize, PartitionScheme scheme)
    {
        var manifest = SyntheticImage.Make(new Random(chunkSize), sectorSize, chunkSize, scheme: scheme).Manifest;
        var file = ManifestWriter.Write(manifest);
        var back = Parse(file);

        Assert.Equal((manifest.DiskSizeBytes, manifest.SectorSize, manifest.DiskModel, manifest.Scheme), (back.DiskSizeBytes, back.SectorSize, back.DiskModel, back.Scheme));
        Assert.Equal(manifest.Regions.Select(r => (r.Kind, r.Offset, r.Length, Convert.ToHexString(r.Bytes.Span))), back.Regions.Select(r => (r.Kind, r.Offset, r.Length, Convert.ToHexString(r.Bytes.Span))));
        Assert.Equal(manifest.Volumes.Select(v => v.Header), back.Volumes.Select(v => v.Header));
        foreach (var (before, after) in manifest.Volumes.Zip(back.Volumes))
        {
            Assert.Equal(before.Chunks().Select(Text), after.Chunks().Select(Text));
            Assert.Equal((before.UsedBytes, before.DataBytes), (after.UsedBytes, after.DataBytes));
        }
        if (manifest.Gpt is { } gpt)
        {
            Assert.Equal(gpt with { Entries = [], BootSector = [] }, back.Gpt! with { Entries = gpt.Entries.Length == 0 ? [] : [], BootSector = [] }, (a, b) => a.ToString() == b.ToString());
            Assert.Equal(gpt.Entries, back.Gpt!.Entries);
            Assert.Equal(gpt.BootSector, back.Gpt.BootSector);
        }
        Assert.Equal(file, ManifestWriter.Write(back));
        Assert.Equal(ManifestHash.Of(file), Convert.ToHexStringLower(SHA256.HashData(file)));
    }

    [Fact]
    public void Damaged_ranges_come_back_and_only_sound_ones_are_read()
    {
        Manifest Damaged(params DamagedRange[] ranges)
        {
            var builder = new ManifestVolumeBuilder(new Partition(1, 4096, 64 << 10, "t", null, null, 0), new VolumeContent(FileSystemKind.Unknown, 4096, BlockMap.AllUsed(16), null, null, null), 64 << 10);
            return new Manifest(1 << 20, 512, null, PartitionScheme.None, null, [], [builder.Build(ranges)]);
        }
        DamagedRange[] sound = [new(0, 512), new(1024, 2048), new((64 << 10) - 512, 512)];
        Assert.Equal(sound, Parse(ManifestWriter.Write(Damaged(sound))).Volumes[0].Damaged);
        DamagedRange[][] unsound =
        [
            [new(100, 512)], [new(0, 100)], [new(0, 0)], [new(0, 512), new(512, 512)], [new(512, 512), new(0, 512)], [new(0, 1024), new(512, 1024)],
            [new(64 << 10, 512)], [new(0, (64 << 10) + 512)], [new(long.MaxValue - 511, 512)], [.. Enumerable.Repeat(new DamagedRange(0, 512), 4097)],
        ];
        foreach (var ranges in unsound)
        {
            Assert.False(ManifestParser.TryParse(ManifestWriter.Write(Damaged(ranges)), out _, out var failure), string.Join(", ", ranges.Take(3)));
            Assert.Equal("manifestCorrupt", failure.Code);
        }
    }

    private static string Text(ManifestChunk c) => $"{c.Kind} {c.Index} {c.VolumeOffset} {c.Length} {c.Id} {Convert.ToHexString(c.UsedBits.Span)}";

    [Fact]
    public void Tells_data_zero_and_unused_apart_and_knows_each_used_block()
    {
        const int Chunk = 64 << 10, Block = 4096;
        var map = new BlockMap(16 * 5 + 3);
        map.Set(16, 16);    // chunk 1: data, all used
        map.Set(32, 16);    // chunk 2: zero, all used
        map.Set(48 + 3, 2); // chunk 3: data, partly
        map.Set(64 + 15, 1); // chunk 4: zero, partly
        map.Set(80 + 2, 1); // chunk 5: short, its last block cut to 1 KiB, data
        var partition = new Partition(1, 1 << 20, 5 * Chunk + 2 * Block + 1024, "t", null, null, 0);
        var builder = new ManifestVolumeBuilder(partition, new VolumeContent(FileSystemKind.Ext4, Block, map, null, null, null), Chunk);
        var id = ChunkId.Of([1]);
        builder.SetData(0, id);
        builder.SetData(2, id);
        builder.SetData(4, id);
        var manifest = Parse(ManifestWriter.Write(new Manifest(8 << 20, 512, null, PartitionScheme.None, null, [], [builder.Build()])));

        var volume = manifest.Volumes[0];
        Assert.Equal([ChunkKind.Unused, ChunkKind.Data, ChunkKind.Zero, ChunkKind.Data, ChunkKind.Zero, ChunkKind.Data], volume.Chunks().Select(c => c.Kind));
        Assert.Equal(["", "", "", "1800", "0080", "04"], volume.Chunks().Select(c => Convert.ToHexString(c.UsedBits.Span)));
        Assert.Equal([0, 65536, 65536, 8192, 4096, 1024], volume.Chunks().Select(c => volume.UsedBytesOf(c)));
        Assert.Equal(65536 * 2 + 8192 + 4096 + 1024, volume.UsedBytes);
        Assert.Equal(builder.ReadBytes, volume.UsedBytes);
        for (var i = 0; i < 6; i++)
            Assert.Equal(Text(volume.Chunks().ElementAt(i)), Text(volume[i]));
        Assert.Equal([(id, Chunk), (id, Chunk), (id, 2 * Block + 1024)], manifest.DataChunks());
    }

    [Fact]
    public void Blocks_larger_than_a_chunk_are_split()
    {
        var map = new BlockMap(4);
        map.Set(1, 1);
        var builder = new ManifestVolumeBuilder(new Partition(1, 0, 4 << 20, "", null, null, 0), new VolumeContent(FileSystemKind.Ntfs, 1 << 20, map, null, null, null), 256 << 10);
        for (var i = 0; i < 4; i++)
            builder.SetData(i, ChunkId.Of([(byte)i]));
        var volume = builder.Build();
        Assert.Equal(256 << 10, volume.Header.BlockSize);
        Assert.Equal("0000222200000000", string.Concat(volume.Chunks().Select(c => (int)c.Kind)));
        Assert.Equal(1 << 20, volume.UsedBytes);
    }

    [Fact]
    public void Text_of_any_kind_survives_or_is_cut_between_characters()
    {
        var partition = new Partition(1, 0, 1 << 20, "", "", new string('é', 2000), 0);
        var builder = new ManifestVolumeBuilder(partition, new VolumeContent(FileSystemKind.Unknown, 4096, new BlockMap(256), null, "\uD800 \u0007 🙂", ""), 64 << 10);
        var back = Parse(ManifestWriter.Write(new Manifest(1 << 20, 512, null, PartitionScheme.None, null, [], [builder.Build()])));
        var header = back.Volumes[0].Header;
        Assert.Equal(new string('é', 512), header.Partition.Name);
        Assert.Equal("\uFFFD \u0007 🙂", header.Label);
        Assert.Equal("", header.Partition.UniqueId);
        Assert.Null(header.Uuid);
        Assert.Equal("", header.Note);
    }

    [Fact]
    public void A_disk_of_4_TB_with_1_TB_used_opens_within_150_MB()
    {
        const long Disk = 4_000_000_000_000 / 4096 * 4096;
        const int Chunk = 1 << 20, Block = 4096;
        var file = WriteLarge(Disk, Chunk, Block);
        // The parser runs on this thread only, so what it keeps is at most what it allocated here.
        var allocated = GC.GetAllocatedBytesForCurrentThread();
        var manifest = Parse(file);
        allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
        Assert.InRange(manifest.UsedBytes, 990_000_000_000, 1_010_000_000_000);
        Assert.InRange(allocated + file.Length, 0, 150_000_000);
    }

    /// <summary>Every fourth chunk has content, half of those only partly: as scattered as a real volume gets.</summary>
    private static byte[] WriteLarge(long disk, int chunkSize, int blockSize)
    {
        var map = new BlockMap(disk / blockSize);
        var perChunk = chunkSize / blockSize;
        for (var chunk = 0L; chunk + 4 < disk / chunkSize; chunk += 4)
            map.Set(chunk * perChunk, chunk % 8 == 0 ? perChunk : perChunk - 3);
        var builder = new ManifestVolumeBuilder(new Partition(1, 0, disk, "", null, null, 0), new VolumeContent(FileSystemKind.Ext4, blockSize, map, null, null, null), chunkSize);
        Span<byte> id = stackalloc byte[32];
        var random = new Random(1);
        for (var i = 0; i < builder.CandidateCount; i++)
        {
            random.NextBytes(id);
            builder.SetData(i, new ChunkId(id));
        }
        return ManifestWriter.Write(new Manifest(disk, 512, null, PartitionScheme.None, null, [], [builder.Build()]));
    }
}
