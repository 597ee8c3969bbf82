using System.Collections.Concurrent;
using ImageForge.Multicast.Frames;

namespace ImageForge.Multicast.Tests.Sessions;

/// <summary>Frames of random bytes, which nothing compresses.</summary>
internal sealed class FrameDisk : IFrameSource
{
    private readonly byte[][] _frames;

    public FrameDisk(int seed, int chunks, int longest)
    {
        var random = new Random(seed);
        _frames = new byte[chunks][];
        for (var chunk = 0; chunk < chunks; chunk++)
            random.NextBytes(_frames[chunk] = new byte[random.Next(longest / 2, longest)]);
    }

    public SessionContent Content => new([.. _frames.Select(frame => frame.Length)]);

    public ReadOnlySpan<byte> Frame(int chunk) => _frames[chunk];

    public ValueTask<int> ReadFrameAsync(int chunk, Memory<byte> frame, CancellationToken cancel)
    {
        _frames[chunk].CopyTo(frame);
        return ValueTask.FromResult(_frames[chunk].Length);
    }
}

/// <summary>Compares frames with the disk they came from and keeps none.</summary>
internal sealed class CheckingSink(FrameDisk disk) : IFrameSink
{
    private readonly ConcurrentDictionary<int, int> _taken = new();

    public bool HasRoom => true;

    public long WaitingBytes => 0;

    public int Taken => _taken.Count;

    public int TakenTwice => _taken.Values.Count(times => times > 1);

    public int Wrong { get; private set; }

    public ValueTask TakeAsync(int chunk, ReadOnlyMemory<byte> frame, CancellationToken cancel)
    {
        _taken.AddOrUpdate(chunk, 1, (_, times) => times + 1);
        if (!frame.Span.SequenceEqual(disk.Frame(chunk)))
            Wrong++;
        return ValueTask.CompletedTask;
    }

    public IReadOnlyList<int> Refused() => [];
}
