using ImageForge.Multicast.Blocks;
using ImageForge.Multicast.Packets;

namespace ImageForge.Multicast.Tests.Blocks;

public sealed class BlockAssemblyTests
{
    private const int F = 128, MiB = 1 << 20;

    /// <summary>Blocks of all sizes, any order, losses up to what parity can repair, everything twice: the frames come back.</summary>
    [Fact]
    public async Task Any_packets_in_any_order_give_the_frames_back()
    {
        var seed = Environment.TickCount;
        for (var n = 0; n < 60; n++)
        {
            var random = new Random(seed + n);
            var made = new MadeContent(seed + n, [.. Enumerable.Range(0, random.Next(1, 6)).Select(_ => random.Next(1, 40_000))]);
            foreach (var block in await made.ComposeAsync(F))
                Check(made, block, random);
        }
    }

    private static void Check(MadeContent made, ComposedBlock block, Random random)
    {
        var buffers = new BlockBuffers(64 * MiB);
        var packets = new List<(PacketHeader Header, byte[] Content)>();
        for (var group = 0; group < block.Shape.Groups; group++)
        {
            var lost = random.Next(3) == 0 ? 0 : random.Next(Math.Min(block.Shape.GroupSize(group), BlockShape.MaxRows) + 1);
            int[] indexes = [.. Enumerable.Range(0, block.Shape.GroupSize(group))], rows = [.. Enumerable.Range(0, BlockShape.MaxRows)];
            random.Shuffle(indexes);
            random.Shuffle(rows);
            packets.AddRange(indexes.Skip(lost).Select(index => FragmentPacket(block, block.Shape.FragmentAt(group, index))));
            packets.AddRange(rows.Take(lost).Select(row => RowPacket(block, group, row)));
        }
        var shuffled = packets.Concat(packets.Take(packets.Count / 2)).ToArray();
        random.Shuffle(shuffled);
        using var assembly = BlockAssembly.TryBegin(buffers, shuffled[0].Header, F)!;
        var news = 0;
        foreach (var (header, content) in shuffled)
        {
            var needed = assembly.Needed(header.Group);
            var taken = assembly.Take(header, content);
            Assert.Equal(taken is Taken.New ? needed - 1 : needed, assembly.Needed(header.Group));
            news += taken is Taken.New ? 1 : 0;
            Assert.NotEqual(Taken.Refused, taken);
        }
        Assert.True(assembly.IsWhole);
        Assert.Equal(block.Shape.Fragments, news);
        var frames = assembly.ReadTable(made.Content);
        Assert.Equal(block.Frames, frames);
        foreach (var frame in frames!)
            Assert.Equal(made.Frame(frame.Chunk), assembly.Frame(frame).ToArray());
        assembly.Dispose();
        assembly.Dispose();
        Assert.Equal(0, buffers.Used);
    }

    [Fact]
    public async Task A_group_that_lacks_one_packet_is_not_whole()
    {
        var (made, block) = await OneBlockAsync();
        using var assembly = BlockAssembly.TryBegin(new BlockBuffers(MiB), MadeContent.Fragment(block, 0), F)!;
        for (var fragment = 1; fragment < block.Shape.Fragments; fragment++)
            Take(assembly, FragmentPacket(block, fragment));
        Assert.False(assembly.IsWhole);
        Assert.Equal(1, assembly.Needed(0));
        Assert.Throws<InvalidOperationException>(() => assembly.ReadTable(made.Content));
        Assert.Equal(Taken.New, Take(assembly, RowPacket(block, 0, 41)));
        Assert.True(assembly.IsWhole);
    }

    [Fact]
    public async Task Packets_of_another_block_or_length_are_refused()
    {
        var (_, block) = await OneBlockAsync();
        var (header, content) = FragmentPacket(block, 3);
        using var assembly = BlockAssembly.TryBegin(new BlockBuffers(MiB), header, F)!;
        Assert.Equal(Taken.Refused, assembly.Take(header with { Block = 9 }, content));
        Assert.Equal(Taken.Refused, assembly.Take(header with { Length = header.Length - F }, content));
        Assert.Equal(Taken.Refused, assembly.Take(header with { Kind = PacketKind.Announcement }, content));
        Assert.Equal(Taken.New, assembly.Take(header, content));
    }

    [Fact]
    public async Task Rows_without_memory_are_turned_away_and_fragments_still_taken()
    {
        var (_, block) = await OneBlockAsync();
        // The block fits, and nothing else.
        var buffers = new BlockBuffers(128 << 10);
        using var assembly = BlockAssembly.TryBegin(buffers, MadeContent.Fragment(block, 0), F)!;
        Assert.Null(BlockAssembly.TryBegin(buffers, MadeContent.Fragment(block, 0), F));
        Assert.Equal(Taken.NoRoom, Take(assembly, RowPacket(block, 0, 0)));
        for (var fragment = 0; fragment < block.Shape.Fragments; fragment++)
            Assert.Equal(Taken.New, Take(assembly, FragmentPacket(block, fragment)));
        Assert.True(assembly.IsWhole);
    }

    private static async Task<(MadeContent Made, ComposedBlock Block)> OneBlockAsync()
    {
        var made = new MadeContent(8, 30_000, 40_000);
        return (made, Assert.Single(await made.ComposeAsync(F)));
    }

    private static Taken Take(BlockAssembly assembly, (PacketHeader Header, byte[] Content) packet) => assembly.Take(packet.Header, packet.Content);

    private static (PacketHeader Header, byte[] Content) FragmentPacket(ComposedBlock block, int fragment)
    {
        var content = new byte[F];
        block.WriteFragment(fragment, content);
        return (MadeContent.Fragment(block, fragment), content);
    }

    private static (PacketHeader Header, byte[] Content) RowPacket(ComposedBlock block, int group, int row)
    {
        var content = new byte[F];
        block.WriteRow(group, row, content);
        return (MadeContent.Row(block, group, row), content);
    }
}
