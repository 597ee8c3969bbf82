using System.Collections;
using System.Collections.Concurrent;
using System.Numerics;
using ImageForge.Imaging.Chunks;
using ImageForge.Imaging.Disks;
using ImageForge.Imaging.Manifests;
using ImageForge.Imaging.Pipelines;

namespace ImageForge.Imaging.Deploy.Arrivals;

/// <summary>
/// What a deploy still wants from a stream, and where its frames are put in. Nothing that comes in is believed: a frame is decompressed
/// into its chunk's own length and hashed before a byte of it reaches a disk. Thread-safe.
/// </summary>
public sealed class ArrivingChunks
{
    /// <summary>Of frames that wait to be decompressed; one frame is always taken, whatever its length.</summary>
    private const int FrameBudget = 8 << 20;

    /// <summary>A longer frame is not copied: whoever gives it waits until it is in its place.</summary>
    private const int LongFrame = FrameBudget / 4;

    private readonly object _lock = new();
    private readonly ArrivalPlaces _places;
    private readonly DeployProgress _progress;
    private readonly StageTimes _times;
    private readonly SpanAssembly _assembly;
    private readonly BitArray _lacking;
    private readonly BlockingCollection<ArrivedFrame> _frames = [];
    private readonly CancellationToken _stop;
    private List<int> _refused = [];
    private TaskCompletionSource? _room;
    private int _lackingCount;
    private long _frameBytes, _plainBytes, _arrivedBytes, _unwanted;

    internal ArrivingChunks(ChunkNumbers numbers, ArrivalPlaces places, SpanAssembly assembly, DeployProgress progress, StageTimes times, CancellationToken stop)
    {
        (Numbers, _places, _assembly, _progress, _times, _stop) = (numbers, places, assembly, progress, times, stop);
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

    /// <summary>What keeps frames waiting right now: <see cref="Bottleneck.Disk"/>, <see cref="Bottleneck.Cpu"/>, or neither.</summary>
    public Bottleneck Behind => _assembly.DiskIsBehind ? Bottleneck.Disk : HasRoom ? Bottleneck.Unknown : Bottleneck.Cpu;

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
    /// Takes a frame, which is the caller's again when the call returns, or waits for room. One that nobody wants is dropped. Whether it is what it claims to be
    /// turns out later: <see cref="Refused"/>.
    /// </summary>
    /// <exception cref="OperationCanceledException">Cancelled, or the deploy has failed.</exception>
    public async ValueTask TakeAsync(int number, ReadOnlyMemory<byte> frame, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        if (!Claim(number, frame.Length))
            return;
        Interlocked.Add(ref _plainBytes, Numbers.PlainLength(number));
        if (frame.Length > LongFrame)
        {
            var placed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _frames.Add(new ArrivedFrame(number, frame, null, 0, placed), CancellationToken.None);
            using var stopped = _stop.UnsafeRegister(static p => ((TaskCompletionSource)p!).TrySetCanceled(), placed);
            // Cancelled or not: the caller's bytes are being read.
            await placed.Task;
            return;
        }
        var room = (int)BitOperations.RoundUpToPowerOf2((uint)frame.Length);
        try
        {
            while (EnterOrWait(room) is { } wait)
            {
                await wait.WaitAsync(cancel);
                _stop.ThrowIfCancellationRequested();
            }
        }
        catch (OperationCanceledException)
        {
            Unclaim(number);
            throw;
        }
        var copy = AlignedBuffer.Rent(frame.Length);
        frame.CopyTo(copy.Memory);
        _frames.Add(new ArrivedFrame(number, copy.Memory[..frame.Length], copy, room, null), CancellationToken.None);
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

    /// <summary>Puts the chunk wherever it is wanted, if the frame is the chunk.</summary>
    internal void Place(ZstdDecompressor zstd, ArrivedFrame frame, CancellationToken cancel)
    {
        Place(zstd, frame.Number, frame.Bytes.Span, cancel);
        Interlocked.Add(ref _plainBytes, -Numbers.PlainLength(frame.Number));
        frame.Copy?.Dispose();
        frame.Placed?.TrySetResult();
        if (frame.Room == 0)
            return;
        Interlocked.Add(ref _frameBytes, -frame.Room);
        Wake();
    }

    private void Place(ZstdDecompressor zstd, int number, ReadOnlySpan<byte> frame, CancellationToken cancel)
    {
        Interlocked.Add(ref _arrivedBytes, frame.Length);
        _progress.AddArrived(frame.Length);
        OpenSpan? holder = null;
        var at = -1;
        foreach (var (key, chunk) in _places.Of(number))
        {
            // Waits for the disk as long as all buffers do.
            if (!_assembly.TryHold(key, chunk, cancel, out var span, out var index))
                continue;
            var started = _times.Now;
            if (holder is null)
            {
                // The first place stays held, so that the others can be copied from it.
                var right = ChunkFrame.TryOpen(zstd, Numbers[number], frame, span.Place(index));
                _times.Add(StageTimes.Stage.Cpu, started);
                if (!right)
                {
                    _assembly.Release(span, index, arrived: false);
                    Refuse(number);
                    return;
                }
                (holder, at) = (span, index);
                continue;
            }
            holder.Place(at).CopyTo(span.Place(index));
            _times.Add(StageTimes.Stage.Cpu, started);
            _assembly.Release(span, index, arrived: true);
        }
        if (holder is not null)
            _assembly.Release(holder, at, arrived: true);
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

    /// <summary>Nobody waits for room any more with the frame: the chunk lacks again, for the next connection to ask for.</summary>
    private void Unclaim(int number)
    {
        Interlocked.Add(ref _plainBytes, -Numbers.PlainLength(number));
        lock (_lock)
        {
            _lacking[number] = true;
            _lackingCount++;
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

/// <param name="Copy">Of the frame, to be disposed; null: <paramref name="Bytes"/> are the caller's, who waits.</param>
/// <param name="Room">Bytes of the budget it takes.</param>
/// <param name="Placed">Completed when the bytes are not needed any more.</param>
internal sealed record ArrivedFrame(int Number, ReadOnlyMemory<byte> Bytes, AlignedBuffer? Copy, int Room, TaskCompletionSource? Placed);
