using ImageForge.Imaging.Deploy.Arrivals;
using ImageForge.Imaging.Tests.Doubles;

namespace ImageForge.Imaging.Tests.Deploy.Arrivals;

public sealed class BrokenWaitTests
{
    [Fact]
    public async Task A_frame_whose_connection_ends_while_it_waits_for_room_is_lacking_again()
    {
        var image = SyntheticImage.Make(new Random(10), scale: 8);
        using var stuck = new ManualResetEventSlim();
        using var target = new FailingDevice(DeployEngineTests.Filled(image.Source.SizeBytes, 512, 0));
        var stream = new BreakingStream(image.Store, stuck);
        target.WriteRule = (_, _) =>
        {
            if (stream.Begun)
                stuck.Wait();
            return 0;
        };
        await ArrivalDeployTests.DeployAsync(image, target, stream, source: new NoSource()).WaitAsync(TimeSpan.FromSeconds(60));
        Assert.True(stream.Waited);
    }

    /// <summary>Gives frames until one has to wait, takes that one back as a connection that breaks does, and begins again with what is lacking.</summary>
    private sealed class BreakingStream(MemoryChunkStore store, ManualResetEventSlim stuck) : IChunkArrivals
    {
        public bool Begun { get; private set; }

        /// <summary>A frame had to wait.</summary>
        public bool Waited { get; private set; }

        public async Task RunAsync(ArrivingChunks chunks, CancellationToken cancel)
        {
            Begun = true;
            try
            {
                await BreakAsync(chunks, cancel);
            }
            finally
            {
                stuck.Set();
            }
            foreach (var number in Lacking(chunks))
                await chunks.TakeAsync(number, store.Frames[chunks.Numbers[number]], cancel);
            while (chunks.WaitingBytes > 0)
                await Task.Delay(5, cancel);
        }

        private async Task BreakAsync(ArrivingChunks chunks, CancellationToken cancel)
        {
            var (before, waiting) = (chunks.LackingCount, -1);
            foreach (var number in Lacking(chunks))
            {
                using var broken = new CancellationTokenSource();
                var taking = chunks.TakeAsync(number, store.Frames[chunks.Numbers[number]], broken.Token).AsTask();
                before--;
                if (await Task.WhenAny(taking, Task.Delay(2000, cancel)) == taking)
                    continue;
                await broken.CancelAsync();
                await Assert.ThrowsAnyAsync<OperationCanceledException>(() => taking);
                (Waited, waiting) = (true, number);
                break;
            }
            Assert.True(Waited, "no frame had to wait");
            Assert.Equal(before + 1, chunks.LackingCount);
            Assert.True(chunks.Lacks(waiting));
        }

        private static List<int> Lacking(ArrivingChunks chunks) => [.. chunks.LackingRuns().SelectMany(r => Enumerable.Range(r.First, r.Length))];
    }
}
