using System.Collections;
using System.Collections.Concurrent;
using System.Numerics;
using ImageForge.Imaging.Chunks;
using ImageForge.Imaging.Disks;
using ImageForge.Imaging.Manifests;

namespace ImageForge.Imaging.Deploy.Arrivals;

/// <summary>
/// What a deploy still wants from a stream, and where its frames are put in. Nothing that comes in is believed: a frame is decompressed
/// into its chunk's own length and hashed before a byte of it reaches a disk. Thread-safe.
/// </summary>
public sealed class ArrivingChunks
{
    /// <summary>Of frames that wait to be decompressed; one frame is always taken, whatever its length.</summary>
    internal const int FrameBudget = 8 << 20;

    private readonly object _lock = new();
    private readonly ArrivalPlaces _places;
    private readonly SpanAssembly _assembly;
    private readonly BitArray _lacking;
    private readonly BlockingCollection<ArrivedFrame> _frames = [];
    private readonly CancellationToken _stop;
    private List<int> _refused = [];
    private TaskCompletionSource? _room;
    private int _lackingCount;
    private long _frameBytes, _plainBytes, _arrivedBytes, _unwanted;

    internal ArrivingChunks(ChunkNumbers numbers, ArrivalPlaces places, SpanAssembly assembly, CancellationToken stop)
    {
        (Numbers, _places, _assembly, _stop) = (numbers, places, assembly, stop);
        _lacking = new BitArray(numbers.Count);
        for (var n = 0; n < numbers.Count; n++)
            if (_lacking[n] = places.IsWanted(n))
                _lackingCount++;
    }

    public ChunkNumbers Numbers { get; }

    /// <summary>Chunks that are wanted, have not come and were not refused.</summary>
    public int LackingCount => Volatile.Read(ref _lackingCount);

    /// <summary>Bytes of frames taken.</summary>
    public long ArrivedBytes => Interlocked.Read(ref _arrivedBytes);

    /// <summary>Frames given that nobody wanted, or wanted no more.</summary>
    public long UnwantedFrames => Interlocked.Read(ref _unwanted);

    /// <summary>Plain bytes taken that wait for the processor or the disk; what only waits for its neighbours does not count.</summary>
    public long WaitingBytes => Interlocked.Read(ref _plainBytes) + _assembly.WaitingBytes;

    /// <summary>False: the next frames would have to wait.</summary>
    public bool HasRoom => Interlocked.Read(ref _frameBytes) <= FrameBudget / 2;

    internal BlockingCollection<ArrivedFrame> Frames => _frames;

    /// <summary>Whether the chunk is wanted and has not come.</summary>
    public bool Lacks(int number)
    {
        lock (_lock)
            return (uint)number < (uint)_lacking.Count && _lacking[number];
    }

    /// <summary>What is lacking now, as runs of numbers: ascending, not touching.</summary>
    public IReadOnlyList<(int First, int Length)> LackingRuns()
    {
        var runs = new List<(int, int)>();
        lock (_lock)
        {
            for (var n = 0; n < _lacking.Count; n++)
            {
                var first = n;
                while (n < _lacking.Count && _lacking[n])
                    n++;
                if (n > first)
                    runs.Add((first, n - first));
            }
        }
        return runs;
    }

    /// <summary>
    /// Takes a frame, copied before the call returns, or waits for room. One that nobody wants is dropped. Whether it is what it claims to be
    /// turns out later: <see cref="Refused"/>.
    /// </summary>
    /// <exception cref="OperationCanceledException">Cancelled, or the deploy has failed.</exception>
    public async ValueTask TakeAsync(int number, ReadOnlyMemory<byte> frame, CancellationToken cancel)
    {
        if (!Claim(number, frame.Length))
            return;
        var room = (int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(frame.Length, 1));
        while (EnterOrWait(room) is { } wait)
        {
            await wait.WaitAsync(cancel);
            _stop.ThrowIfCancellationRequested();
        }
        var copy = AlignedBuffer.Rent(Math.Max(frame.Length, 1));
        frame.CopyTo(copy.Memory);
        Interlocked.Add(ref _plainBytes, Numbers.PlainLength(number));
        Interlocked.Add(ref _arrivedBytes, frame.Length);
        _frames.Add(new ArrivedFrame(number, copy, frame.Length, room), cancel);
    }

    /// <summary>Chunks whose frame was wrong, since the last call: they are fetched in the ordinary way, whatever else arrives.</summary>
    public IReadOnlyList<int> Refused()
    {
        lock (_lock)
        {
            var refused = _refused;
            _refused = [];
            return refused;
        }
    }

    /// <summary>The deploy has stopped: nobody is to wait for room any more.</summary>
    internal void Wake()
    {
        lock (_lock)
        {
            _room?.TrySetResult();
            _room = null;
        }
    }

    /// <summary>Puts the chunk wherever it is wanted; false if the frame is not the chunk.</summary>
    internal bool TryPlace(ZstdDecompressor zstd, ArrivedFrame frame, CancellationToken cancel)
    {
        OpenSpan? holder = null;
        var at = -1;
        foreach (var (key, chunk) in _places.Of(frame.Number))
        {
            if (!_assembly.TryHold(key, chunk, cancel, out var span, out var index))
                continue;
            if (holder is null)
            {
                // The first place stays held, so that the others can be copied from it.
                if (!ChunkFrame.TryOpen(zstd, Numbers[frame.Number], frame.Buffer.Span[..frame.Length], span.Place(index)))
                {
                    _assembly.Release(span, index, arrived: false);
                    Refuse(frame.Number);
                    return false;
                }
                (holder, at) = (span, index);
                continue;
            }
            holder.Place(at).CopyTo(span.Place(index));
            _assembly.Release(span, index, arrived: true);
        }
        if (holder is not null)
            _assembly.Release(holder, at, arrived: true);
        return true;
    }

    internal void Done(ArrivedFrame frame)
    {
        frame.Buffer.Dispose();
        Interlocked.Add(ref _plainBytes, -Numbers.PlainLength(frame.Number));
        Interlocked.Add(ref _frameBytes, -frame.Room);
        Wake();
    }

    private void Refuse(int number)
    {
        lock (_lock)
            _refused.Add(number);
    }

    /// <summary>From now on the chunk is not lacking; a frame that cannot be it is refused at once.</summary>
    private bool Claim(int number, int length)
    {
        lock (_lock)
        {
            if ((uint)number >= (uint)_lacking.Count || !_lacking[number])
            {
                Interlocked.Increment(ref _unwanted);
                return false;
            }
            _lacking[number] = false;
            _lackingCount--;
            if (length > 0 && length <= ChunkFrame.MaxLength(Numbers.PlainLength(number)))
                return true;
            _refused.Add(number);
            return false;
        }
    }

    private Task? EnterOrWait(int room)
    {
        lock (_lock)
        {
            if (_frameBytes == 0 || _frameBytes + room <= FrameBudget)
            {
                Interlocked.Add(ref _frameBytes, room);
                return null;
            }
            return (_room ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
        }
    }
}

/// <param name="Room">Bytes of the budget it takes.</param>
internal sealed record ArrivedFrame(int Number, AlignedBuffer Buffer, int Length, int Room);
