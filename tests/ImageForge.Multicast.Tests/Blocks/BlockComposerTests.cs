using ImageForge.Multicast.Blocks;

namespace ImageForge.Multicast.Tests.Blocks;

public sealed class BlockComposerTests
{
    private const int MiB = 1 << 20;

    [Fact]
    public async Task Every_frame_is_in_one_block_in_order()
    {
        var made = new MadeContent(1, [.. Enumerable.Range(0, 60).Select(i => 1 + (i * 37_123 % 700_000))]);
        var blocks = await made.ComposeAsync(1408);
        Assert.Equal(Enumerable.Range(0, 60), blocks.SelectMany(block => block.Frames).Select(frame => frame.Chunk));
        Assert.All(blocks, block => Assert.InRange(block.Shape.Length, 1, BlockComposer.WantedBytes + BlockTable.Size(BlockComposer.MostFrames)));
        // Blocks are filled, not opened for each frame.
        Assert.True(blocks.Count <= made.Content.Chunks / 2);
        foreach (var block in blocks)
        {
            var bytes = Bytes(block);
            Assert.Equal(block.Frames, BlockTable.TryRead(bytes.AsSpan(0, block.Shape.Length), made.Content));
            Assert.All(block.Frames, frame => Assert.Equal(made.Frame(frame.Chunk), bytes.AsSpan(frame.Offset, frame.Length).ToArray()));
            Assert.All(bytes[block.Shape.Length..], padding => Assert.Equal(0, padding));
        }
    }

    [Fact]
    public async Task A_large_frame_is_alone()
    {
        var made = new MadeContent(6, 1000, 16 * MiB, 1000);
        var blocks = await made.ComposeAsync(1408);
        Assert.Equal([[0], [1], [2]], blocks.Select(block => block.Frames.Select(frame => frame.Chunk).ToArray()));
        Assert.True(made.Frame(1).Length > MiB && blocks[1].Shape.Length <= BlockShape.LargestBlock);
    }

    /// <summary>Room for the largest frame of a chunk must not tempt a second large one into the block of a small one.</summary>
    [Fact]
    public async Task Nor_is_a_large_frame_put_behind_a_small_one_of_a_large_chunk()
    {
        var made = new MadeContent(7, 16 * MiB, 16 * MiB) { Shorten = { [0] = 5000 } };
        var blocks = await made.ComposeAsync(1408);
        Assert.Equal([[0], [1]], blocks.Select(block => block.Frames.Select(frame => frame.Chunk).ToArray()));
        Assert.True(made.Frame(1).Length > MiB);
    }

    [Fact]
    public async Task Chunks_of_next_to_nothing_do_not_fill_a_block_without_end()
    {
        var made = new MadeContent(5, [.. Enumerable.Repeat(1, 600)]);
        var blocks = await made.ComposeAsync(1408);
        Assert.Equal([256, 256, 88], blocks.Select(block => block.Frames.Count));
    }

    [Fact]
    public async Task Absent_frames_are_told_and_left_out()
    {
        var made = new MadeContent(2, 1000, 2000, 3000) { Absent = { 1 } };
        var composer = new BlockComposer(made.Content, made, 1408, new BlockBuffers(64 * MiB));
        var chunks = new Queue<int>([0, 1, 2]);
        var absent = new List<int>();
        using var block = await composer.ComposeAsync(0, () => chunks.TryDequeue(out var chunk) ? chunk : null, absent.Add, CancellationToken.None);
        Assert.Equal([0, 2], block!.Frames.Select(frame => frame.Chunk));
        Assert.Equal([1], absent);
    }

    [Fact]
    public async Task When_all_that_is_left_is_absent_there_is_no_block_and_no_buffer_is_lost()
    {
        var made = new MadeContent(2, 1000, 2000) { Absent = { 0, 1 } };
        var buffers = new BlockBuffers(64 * MiB);
        Assert.Empty(await made.ComposeAsync(1408, buffers));
        Assert.Equal(0, buffers.Used);
    }

    [Fact]
    public async Task Without_a_buffer_nothing_is_lost()
    {
        var made = new MadeContent(3, [.. Enumerable.Repeat(900_000, 20)]);
        var buffers = new BlockBuffers(2 * MiB);
        var composer = new BlockComposer(made.Content, made, 1408, buffers);
        var chunks = new Queue<int>(Enumerable.Range(0, 20));
        var seen = new List<int>();
        ComposedBlock? held = null;
        while (true)
        {
            var block = await composer.ComposeAsync(0, () => chunks.TryDequeue(out var chunk) ? chunk : null, _ => Assert.Fail("absent"), CancellationToken.None);
            if (block is null && !composer.Starved)
                break;
            Assert.Equal(block is null, held is not null);
            seen.AddRange(block?.Frames.Select(frame => frame.Chunk) ?? []);
            held?.Dispose();
            held = block;
        }
        held?.Dispose();
        Assert.Equal(Enumerable.Range(0, 20), seen);
        Assert.Equal(0, buffers.Used);
    }

    private static byte[] Bytes(ComposedBlock block)
    {
        var bytes = new byte[block.Shape.Fragments * block.Shape.FragmentBytes];
        for (var i = 0; i < block.Shape.Fragments; i++)
            block.WriteFragment(i, bytes.AsSpan(i * block.Shape.FragmentBytes));
        return bytes;
    }
}
