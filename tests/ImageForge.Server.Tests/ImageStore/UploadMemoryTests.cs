using ImageForge.Server.ImageStore;

namespace ImageForge.Server.Tests.ImageStore;

public sealed class UploadMemoryTests
{
    [Fact]
    public async Task Who_does_not_fit_waits_until_memory_is_given_back()
    {
        var memory = new UploadMemory(100);
        var first = await memory.TakeAsync(60, default);
        var second = memory.TakeAsync(60, default).AsTask();
        Assert.False(second.IsCompleted);
        first.Dispose();
        using var taken = await second.WaitAsync(TimeSpan.FromSeconds(10));
        Assert.Equal(40, memory.FreeBytes);
    }

    [Fact]
    public async Task A_small_one_does_not_overtake_a_large_one_that_waits()
    {
        var memory = new UploadMemory(100);
        var first = await memory.TakeAsync(60, default);
        var large = memory.TakeAsync(90, default).AsTask();
        var small = memory.TakeAsync(10, default).AsTask();
        Assert.False(small.IsCompleted);
        first.Dispose();
        await Task.WhenAll(large, small).WaitAsync(TimeSpan.FromSeconds(10));
        Assert.Equal(0, memory.FreeBytes);
    }

    [Fact]
    public async Task One_that_gives_up_lets_those_behind_it_through()
    {
        var memory = new UploadMemory(100);
        using var first = await memory.TakeAsync(60, default);
        using var cancel = new CancellationTokenSource();
        var large = memory.TakeAsync(90, cancel.Token).AsTask();
        var small = memory.TakeAsync(10, default).AsTask();
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => large);
        await small.WaitAsync(TimeSpan.FromSeconds(10));
        Assert.Equal(30, memory.FreeBytes);
    }

    [Fact]
    public async Task More_than_there_is_takes_all_and_giving_back_twice_counts_once()
    {
        var memory = new UploadMemory(100);
        var all = await memory.TakeAsync(1000, default);
        Assert.Equal(0, memory.FreeBytes);
        all.Dispose();
        all.Dispose();
        Assert.Equal(100, memory.FreeBytes);
    }

    [Fact]
    public async Task Nothing_is_lost_when_many_take_give_back_and_give_up_at_once()
    {
        const int seed = 99;
        var memory = new UploadMemory(1000);
        await Parallel.ForEachAsync(Enumerable.Range(0, 5000), new ParallelOptions { MaxDegreeOfParallelism = 32 }, async (i, _) =>
        {
            var random = new Random(seed + i);
            using var cancel = new CancellationTokenSource(TimeSpan.FromMilliseconds(random.Next(1, 20)));
            try
            {
                using var taken = await memory.TakeAsync(random.Next(1, 600), cancel.Token);
                await Task.Yield();
            }
            catch (OperationCanceledException)
            {
                // That is what some of them are meant to do.
            }
        });
        Assert.Equal(1000, memory.FreeBytes);
    }
}
