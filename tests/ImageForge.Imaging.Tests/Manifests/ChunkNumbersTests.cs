using ImageForge.Imaging.Chunks;
using ImageForge.Imaging.Disks;
using ImageForge.Imaging.FileSystems;
using ImageForge.Imaging.Manifests;
using ImageForge.Imaging.Tests.Doubles;

namespace ImageForge.Imaging.Tests.Manifests;

public sealed class ChunkNumbersTests
{
    [Fact]
    public void Numbers_distinct_chunks_in_the_order_in_which_they_first_occur()
    {
        var image = Set(Disk("abacad", cut: false), Disk("dxby", cut: false));
        var numbers = new ChunkNumbers(image);
        Assert.Equal("abcdxy".Select(Id), Enumerable.Range(0, numbers.Count).Select(n => numbers[n]));
        for (var n = 0; n < numbers.Count; n++)
        {
            Assert.True(numbers.TryGetNumber(numbers[n], out var found));
            Assert.Equal(n, found);
        }
        Assert.False(numbers.TryGetNumber(Id('z'), out var none));
        Assert.Equal(-1, none);
    }

    [Fact]
    public void Agrees_with_the_plain_definition_on_images_of_every_shape()
    {
        var shortOnes = 0;
        foreach (var seed in Enumerable.Range(1, 5))
        {
            var image = Set(
                SyntheticImage.Make(new Random(seed)).Manifest,
                SyntheticImage.Make(new Random(seed % 3), chunkSize: 256 << 10, scheme: PartitionScheme.Mbr).Manifest,
                SyntheticImage.Make(new Random(seed)).Manifest);
            var expected = image.DataChunks().DistinctBy(c => c.Id).ToList();
            var numbers = new ChunkNumbers(image);
            Assert.Equal(expected.Select(c => c.Id), Enumerable.Range(0, numbers.Count).Select(n => numbers[n]));
            Assert.Equal(expected.Select(c => c.PlainLength), numbers.PlainLengths);
            Assert.Equal(expected.Count, numbers.PlainLengths.Count);
            shortOnes += numbers.PlainLengths.Count(l => l % (64 << 10) != 0);
        }
        Assert.NotEqual(0, shortOnes);
    }

    [Fact]
    public void The_last_chunk_of_a_volume_counts_with_its_own_length()
    {
        var numbers = new ChunkNumbers(Set(Disk("abc", cut: true), Disk("d", cut: true), Disk("e.", cut: true)));
        Assert.Equal([65536, 65536, 4096, 4096, 65536], numbers.PlainLengths);
    }

    [Fact]
    public void Volumes_without_data_change_nothing()
    {
        var numbers = new ChunkNumbers(Set(Disk("..", cut: false), Disk("", cut: true), Disk("ab", cut: false), Disk(".", cut: true), Disk("c", cut: false)));
        Assert.Equal("abc".Select(Id), Enumerable.Range(0, 3).Select(n => numbers[n]));
        Assert.Equal([65536, 65536, 65536], numbers.PlainLengths);
        Assert.Throws<ArgumentOutOfRangeException>(() => numbers[3]);
        Assert.Throws<ArgumentOutOfRangeException>(() => numbers[-1]);
        Assert.Equal(0, new ChunkNumbers(Set(Disk("", cut: false))).Count);
    }

    [Fact]
    public void Takes_little_memory_beside_the_ids()
    {
        const int Chunks = 400_000;
        var random = new Random(7);
        var ids = new byte[Chunks * ChunkId.Size];
        random.NextBytes(ids);
        var image = Set(Disk(ids, Chunks * 65536L));
        var before = GC.GetTotalMemory(true);
        var numbers = new ChunkNumbers(image);
        var bytes = (GC.GetTotalMemory(true) - before) / (double)Chunks;
        Assert.InRange(bytes, 4, 24);
        Assert.Equal(Chunks, numbers.Count);
        for (var n = 0; n < Chunks; n += 997)
        {
            Assert.True(numbers.TryGetNumber(new ChunkId(ids.AsSpan(n * ChunkId.Size, ChunkId.Size)), out var found));
            Assert.Equal(n, found);
        }
    }

    [Fact]
    public void Ids_that_somebody_chose_to_be_alike_are_numbered_as_fast_as_others()
    {
        const int Chunks = 60_000;
        var ids = new byte[Chunks * ChunkId.Size];
        for (var i = 0; i < Chunks; i++)
            BitConverter.TryWriteBytes(ids.AsSpan(i * ChunkId.Size + 28), i);
        var watch = System.Diagnostics.Stopwatch.StartNew();
        Assert.Equal(Chunks, new ChunkNumbers(Set(Disk(ids, Chunks * 65536L))).Count);
        // All in one row would be 1.8 thousand million comparisons.
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(2), $"took {watch.Elapsed}");
    }

    private static ChunkId Id(char c) => ChunkId.Of([(byte)c]);

    private static ImageDisks Set(params Manifest[] disks) => new([.. disks.Select(m => new ImageDisk(null, "", m))]);

    /// <param name="chunks">A letter per data chunk, a dot for one that is not used.</param>
    private static Manifest Disk(string chunks, bool cut)
    {
        var runs = new ChunkRuns.Builder();
        foreach (var c in chunks)
            runs.Add(c == '.' ? RunKind.Unused : RunKind.Data, 1);
        var ids = chunks.Where(c => c != '.').SelectMany(c => Id(c).ToArray()).ToArray();
        return Disk(runs.Build(), ids, chunks.Length * 65536L - (cut && chunks.Length > 0 ? 61440 : 0));
    }

    private static Manifest Disk(byte[] ids, long length)
    {
        var runs = new ChunkRuns.Builder();
        runs.Add(RunKind.Data, ids.Length / ChunkId.Size);
        return Disk(runs.Build(), ids, length);
    }

    private static Manifest Disk(ChunkRuns runs, byte[] ids, long length)
    {
        var header = new VolumeHeader(new Partition(1, 0, length, "type", null, null, 0), FileSystemKind.Unknown, null, null, null, 4096, 65536);
        return new Manifest(length, 512, null, PartitionScheme.None, null, [], [new ManifestVolume(header, runs, default, ids)]);
    }
}
