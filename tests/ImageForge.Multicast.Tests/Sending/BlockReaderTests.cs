using ImageForge.Multicast.Blocks;
using ImageForge.Multicast.Frames;
using ImageForge.Multicast.Messages;
using ImageForge.Multicast.Sending;

namespace ImageForge.Multicast.Tests.Sending;

public sealed class BlockReaderTests
{
    /// <summary>As when a new epoch begins between the question for the number and the first chunk.</summary>
    [Fact]
    public async Task A_block_has_the_number_that_is_next_when_it_is_made()
    {
        var core = new SenderCore(new SenderCoreOptions(1408, 44, 1, null, (1, null)), 10, 0);
        core.Join("one", new JoinMessage(1, 4096, ChunkSet.Full(10)), 0);
        core.StartNow(0);
        var gate = new Lock();
        var source = new DuringRead(() =>
        {
            lock (gate)
                if (core.NextBlock == 0)
                    core.BeginBlock(0, 1_000, 0);
        });
        var made = new TaskCompletionSource();
        using var cancel = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        using var reader = new BlockReader(core, gate, new BlockComposer(source.Content, source, 1408, new BlockBuffers(16 << 20)), () => { }, () => made.TrySetResult(), TimeProvider.System);
        var reading = reader.RunAsync(cancel.Token);
        await made.Task.WaitAsync(cancel.Token);
        Assert.True(reader.TryTake(out var block));
        using (block)
            Assert.Equal(core.NextBlock, block.Number);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading);
    }

    private sealed class DuringRead(Action during) : IFrameSource
    {
        public SessionContent Content { get; } = new([.. Enumerable.Repeat(1000, 10)]);

        public ValueTask<int> ReadFrameAsync(int chunk, Memory<byte> frame, CancellationToken cancel)
        {
            during();
            return ValueTask.FromResult(900);
        }
    }
}
