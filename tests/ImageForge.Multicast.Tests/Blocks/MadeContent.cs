using ImageForge.Multicast.Blocks;
using ImageForge.Multicast.Frames;
using ImageForge.Multicast.Packets;

namespace ImageForge.Multicast.Tests.Blocks;

/// <summary>A session's content made up from a seed: frames of noise whose lengths lie within their chunks' bounds.</summary>
internal sealed class MadeContent : IFrameSource
{
    private readonly byte[][] _frames;

    public MadeContent(int seed, params int[] plainLengths)
    {
        Content = new SessionContent(plainLengths);
        var random = new Random(seed);
        _frames = new byte[plainLengths.Length][];
        for (var chunk = 0; chunk < plainLengths.Length; chunk++)
        {
            _frames[chunk] = new byte[random.Next(4) == 0 ? Content.LongestFrame(chunk) : random.Next(1, Content.LongestFrame(chunk) + 1)];
            random.NextBytes(_frames[chunk]);
        }
    }

    public SessionContent Content { get; }

    public HashSet<int> Absent { get; } = [];

    /// <summary>Frames to cut to a length.</summary>
    public Dictionary<int, int> Shorten { get; } = [];

    public byte[] Frame(int chunk) => Shorten.TryGetValue(chunk, out var length) ? _frames[chunk][..length] : _frames[chunk];

    public ValueTask<int> ReadFrameAsync(int chunk, Memory<byte> frame, CancellationToken cancel)
    {
        if (Absent.Contains(chunk))
            return ValueTask.FromResult(0);
        Frame(chunk).CopyTo(frame);
        return ValueTask.FromResult(Frame(chunk).Length);
    }

    /// <summary>All blocks of the chunks from 0 on.</summary>
    public async Task<List<ComposedBlock>> ComposeAsync(int fragmentBytes, BlockBuffers? buffers = null)
    {
        var composer = new BlockComposer(Content, this, fragmentBytes, buffers ?? new BlockBuffers(1L << 30));
        var chunks = new Queue<int>(Enumerable.Range(0, Content.Chunks));
        var blocks = new List<ComposedBlock>();
        while (await composer.ComposeAsync((uint)blocks.Count, () => chunks.TryDequeue(out var chunk) ? chunk : null, _ => { }, CancellationToken.None) is { } block)
            blocks.Add(block);
        Assert.Empty(chunks);
        return blocks;
    }

    public static PacketHeader Fragment(ComposedBlock block, int fragment) =>
        new(PacketKind.Fragment, 1, 1, block.Number, block.Shape.Length, block.Shape.GroupOf(fragment), block.Shape.IndexOf(fragment));

    public static PacketHeader Row(ComposedBlock block, int group, int row) =>
        new(PacketKind.Parity, 1, 1, block.Number, block.Shape.Length, group, row);
}
