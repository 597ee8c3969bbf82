namespace ImageForge.Multicast.Tests;

public sealed class ChunkSetTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(63)]
    [InlineData(64)]
    [InlineData(65)]
    [InlineData(200)]
    public void A_set_is_what_its_runs_say(int chunks)
    {
        var random = new Random(chunks);
        for (var round = 0; round < 200; round++)
        {
            var (set, plain) = (new ChunkSet(chunks), new HashSet<int>());
            for (var i = 0; i < 10; i++)
            {
                var first = random.Next(chunks);
                var length = random.Next(chunks - first + 1);
                set.AddRun(first, length);
                plain.UnionWith(Enumerable.Range(first, length));
                var gone = random.Next(chunks);
                Assert.Equal(plain.Remove(gone), set.Remove(gone));
            }
            var read = new ChunkSet(chunks);
            var free = 0;
            foreach (var (first, length) in set.Runs())
            {
                Assert.True(first >= free && length > 0);
                read.AddRun(first, length);
                free = first + length + 1;
            }
            Assert.Equal(plain.Order(), Numbers(set));
            Assert.Equal(plain.Order(), Numbers(read));
            Assert.Equal(plain.Count, set.Count);
        }
    }

    [Fact]
    public void Union_and_difference_count_right()
    {
        var (a, b) = (new ChunkSet(100), new ChunkSet(100));
        a.AddRun(0, 70);
        b.AddRun(60, 40);
        var both = a.Clone();
        both.UnionWith(b);
        Assert.Equal((100, 70, 40), (both.Count, a.Count, b.Count));
        a.ExceptWith(b);
        Assert.Equal(Enumerable.Range(0, 60), Numbers(a));
        Assert.Equal(60, a.Count);
    }

    private static List<int> Numbers(ChunkSet set)
    {
        var numbers = new List<int>();
        for (var chunk = set.Next(0); chunk >= 0; chunk = set.Next(chunk + 1))
            numbers.Add(chunk);
        return numbers;
    }
}
