using System.Collections.Concurrent;
using System.Diagnostics;
using System.Security.Cryptography;
using ImageForge.Imaging.Chunks;
using ImageForge.Multicast.Frames;
using Microsoft.Win32.SafeHandles;

namespace ImageForge.MulticastPeer;

/// <summary>
/// Does with a frame what a deploy does up to the disk: decompresses it into its chunk's length, hashes it, and writes it to a target that discards
/// it, on a thread of its own. A rate makes it a slow disk.
/// </summary>
internal sealed class DiscardSink : IFrameSink, IDisposable
{
    private const long Room = 32 << 20;

    private readonly ContentFolder _content;
    private readonly double? _bytesPerSecond;
    private readonly BlockingCollection<(int Chunk, byte[] Frame, int Length)> _queue = [];
    private readonly ConcurrentBag<byte[]> _free = [];
    private readonly SafeFileHandle _target = File.OpenHandle("/dev/null", FileMode.Open, FileAccess.Write);
    private readonly Thread _thread;
    private readonly SemaphoreSlim _moved = new(0);
    private readonly ConcurrentQueue<int> _refused = new();
    private readonly HashSet<int> _written = [];
    private long _waiting;

    public DiscardSink(ContentFolder content, double? bytesPerSecond)
    {
        (_content, _bytesPerSecond) = (content, bytesPerSecond);
        _thread = new Thread(Work) { Name = "sink", IsBackground = true };
        _thread.Start();
    }

    public bool HasRoom => Volatile.Read(ref _waiting) < Room;

    public long WaitingBytes => Volatile.Read(ref _waiting);

    public async ValueTask TakeAsync(int chunk, ReadOnlyMemory<byte> frame, CancellationToken cancel)
    {
        while (!HasRoom)
            await _moved.WaitAsync(cancel);
        if (!_free.TryTake(out var copy) || copy.Length < frame.Length)
            copy = new byte[Math.Max(frame.Length, 1 << 20)];
        frame.CopyTo(copy);
        Interlocked.Add(ref _waiting, _content.Content.PlainLength(chunk));
        _queue.Add((chunk, copy, frame.Length), cancel);
    }

    public IReadOnlyList<int> Refused()
    {
        var refused = new List<int>();
        while (_refused.TryDequeue(out var chunk))
            refused.Add(chunk);
        return refused;
    }

    /// <summary>Waits for what was taken, and returns how many different chunks were verified and written.</summary>
    public int Finish()
    {
        _queue.CompleteAdding();
        _thread.Join();
        return _written.Count;
    }

    public void Dispose()
    {
        _queue.CompleteAdding();
        _thread.Join();
        _queue.Dispose();
        _moved.Dispose();
        _target.Dispose();
    }

    private void Work()
    {
        using var zstd = new ZstdDecompressor();
        var plain = Array.Empty<byte>();
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        var started = Stopwatch.GetTimestamp();
        var written = 0L;
        foreach (var (chunk, frame, length) in _queue.GetConsumingEnumerable())
        {
            var bytes = _content.Content.PlainLength(chunk);
            if (plain.Length < bytes)
                plain = new byte[bytes];
            if (zstd.TryDecompress(frame.AsSpan(0, length), plain.AsSpan(0, bytes))
                && SHA256.HashData(plain.AsSpan(0, bytes), hash) > 0 && hash.SequenceEqual(_content.Hash(chunk)))
            {
                RandomAccess.Write(_target, plain.AsSpan(0, bytes), 0);
                _written.Add(chunk);
            }
            else
            {
                _refused.Enqueue(chunk);
            }
            _free.Add(frame);
            written += bytes;
            if (_bytesPerSecond is { } rate)
            {
                var early = (written / rate) - Stopwatch.GetElapsedTime(started).TotalSeconds;
                if (early > 0.001)
                    Thread.Sleep(TimeSpan.FromSeconds(early));
            }
            Interlocked.Add(ref _waiting, -bytes);
            _moved.Release();
        }
    }
}
