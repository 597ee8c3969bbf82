using ImageForge.Imaging.Chunks;
using ImageForge.Server.ImageStore;

namespace ImageForge.Server.Tests.ImageStore;

public sealed class ChunkIndexTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(5000)]
    public void Every_chunk_comes_back_in_its_partition(int count)
    {
        var chunks = Some(count, 1);
        using var file = new MemoryStream(ChunkIndex.Write(chunks));
        var read = Enumerable.Range(0, ChunkIndex.Partitions).SelectMany(p => ChunkIndex.ReadPartition(file, (byte)p)!).ToArray();
        Assert.Equal(chunks, read);
    }

    [Fact]
    public void A_changed_or_cut_index_never_gives_other_chunks()
    {
        // A sweep removes what no index names: an index that lost a name must be known as damaged.
        const int seed = 4712;
        var chunks = Some(600, seed);
        var whole = ChunkIndex.Write(chunks);
        var expected = Enumerable.Range(0, ChunkIndex.Partitions).Select(p => chunks.Where(c => ChunkIndex.PartitionOf(c.Id) == p).ToArray()).ToArray();
        var random = new Random(seed);
        var refused = 0;
        for (var i = 0; i < 5000; i++)
        {
            var bytes = (byte[])whole.Clone();
            switch (random.Next(4))
            {
                case 0:
                    bytes = bytes[..random.Next(bytes.Length)];
                    break;
                case 1:
                    bytes = [.. bytes, .. new byte[random.Next(1, 100)]];
                    break;
                case 2:
                    random.NextBytes(bytes.AsSpan(random.Next(bytes.Length)..));
                    break;
                default:
                    bytes[random.Next(bytes.Length)] ^= (byte)(1 << random.Next(8));
                    break;
            }
            var partition = (byte)random.Next(256);
            var read = ChunkIndex.ReadPartition(new MemoryStream(bytes), partition);
            if (read is null)
                refused++;
            else
                Assert.True(read.AsSpan().SequenceEqual(expected[partition]), $"seed {seed}, case {i}");
        }
        Assert.InRange(refused, 2000, 5000);
    }

    private static IndexedChunk[] Some(int count, int seed)
    {
        var random = new Random(seed);
        var id = new byte[32];
        return [.. Enumerable.Range(0, count).Select(_ =>
        {
            random.NextBytes(id);
            return new IndexedChunk(new ChunkId(id), (uint)random.Next(1, 1 << 20));
        }).OrderBy(static c => c.Id)];
    }
}
