using System.Diagnostics.CodeAnalysis;
using ImageForge.Imaging.Disks;

namespace ImageForge.Imaging.Deploy.Arrivals;

/// <summary>
/// Puts arriving chunks beside their neighbours, so that the disk sees long writes in nearly its own order, in a fixed number of buffers.
/// A span goes to the disk when it is complete; when all buffers wait for neighbours, the one opened first goes as it is.
/// </summary>
/// <param name="buffers">More than threads that fill places at the same time: then one of them can always go on.</param>
internal sealed class SpanAssembly(IReadOnlyList<ArrivalTarget> targets, int bufferBytes, int buffers) : IDisposable
{
    private readonly object _lock = new();
    private readonly Stack<AlignedBuffer> _idle = new();
    private readonly Dictionary<SpanKey, OpenSpan> _open = [];

    /// <summary>The open spans, those opened first in front.</summary>
    private readonly LinkedList<OpenSpan> _byAge = [];

    /// <summary>A span may be here twice: as it was when its buffer was needed, and with what came later.</summary>
    private readonly List<OpenSpan> _toWrite = [];

    private SpanKey _lastWritten;
    private int _free = buffers, _onTheWay;
    private bool _ended;
    private long _waitingBytes;

    /// <summary>Bytes of chunks that wait for the disk, not for their neighbours.</summary>
    public long WaitingBytes => Interlocked.Read(ref _waitingBytes);

    /// <summary>Spans wait for a thread that writes, or chunks for a buffer that is being written.</summary>
    public bool DiskIsBehind
    {
        get
        {
            lock (_lock)
                return _toWrite.Count > 0 || (_free == 0 && _onTheWay > 0);
        }
    }

    /// <summary>
    /// The span that has the chunk among its missing ones, kept open until <see cref="Release"/>; waits for a buffer.
    /// False: the chunk is done or on its way.
    /// </summary>
    public bool TryHold(SpanKey key, int chunk, CancellationToken cancel, [NotNullWhen(true)] out OpenSpan? span, out int index)
    {
        (span, index) = (null, -1);
        using var wake = cancel.UnsafeRegister(static o => ((SpanAssembly)o!).Wake(), this);
        lock (_lock)
        {
            while (true)
            {
                cancel.ThrowIfCancellationRequested();
                if (_open.TryGetValue(key, out span))
                    break;
                if (_free > 0)
                {
                    var content = targets[key.Disk].Open_NeedsLock(key.Volume, key.Number);
                    if (!content.Chunks.Any(c => c.Index == chunk))
                        return false;
                    _free--;
                    span = new OpenSpan(key, content, _idle.TryPop(out var buffer) ? buffer : AlignedBuffer.Rent(bufferBytes));
                    _open.Add(key, span);
                    _byAge.AddLast(span);
                    break;
                }
                // While others are being written a buffer comes back by itself.
                if (_onTheWay == 0 && Oldest_NeedsLock() is { } oldest)
                    Close_NeedsLock(oldest);
                Monitor.Wait(_lock);
            }
            index = span.IndexOf(chunk);
            if (index < 0 || !span.Missing[index])
                return false;
            span.Holders++;
            return true;
        }
    }

    /// <param name="arrived">The chunk's place now holds its verified content.</param>
    public void Release(OpenSpan span, int index, bool arrived)
    {
        lock (_lock)
        {
            span.Holders--;
            if (arrived)
            {
                span.Missing[index] = false;
                span.MissingCount--;
                span.ArrivedBytes += span.Span.Chunks[index].Length;
                if (span.MissingCount == 0)
                    Close_NeedsLock(span);
            }
            Monitor.PulseAll(_lock);
        }
    }

    /// <summary>No more chunks come: everything that arrived goes to the disk.</summary>
    public void End()
    {
        lock (_lock)
        {
            foreach (var span in _byAge.ToArray())
                if (span.HasArrivals)
                    Close_NeedsLock(span);
            _ended = true;
            Monitor.PulseAll(_lock);
        }
    }

    /// <summary>The next span to write, in the order of the disks as far as there is a choice; null after <see cref="End"/>.</summary>
    public OpenSpan? NextToWrite(CancellationToken cancel)
    {
        using var wake = cancel.UnsafeRegister(static o => ((SpanAssembly)o!).Wake(), this);
        lock (_lock)
        {
            while (_toWrite.Count == 0)
            {
                cancel.ThrowIfCancellationRequested();
                if (_ended)
                    return null;
                Monitor.Wait(_lock);
            }
            cancel.ThrowIfCancellationRequested();
            // On to the end, then from the start: a sweep keeps a disk's heads from going back and forth.
            var next = _toWrite.Where(s => s.Key.CompareTo(_lastWritten) > 0).MinBy(s => s.Key) ?? _toWrite.MinBy(s => s.Key)!;
            _toWrite.Remove(next);
            _lastWritten = next.Key;
            return next;
        }
    }

    public void Written(OpenSpan span)
    {
        lock (_lock)
        {
            _onTheWay--;
            _free++;
            _idle.Push(span.Plain);
            Interlocked.Add(ref _waitingBytes, -span.ArrivedBytes);
            Monitor.PulseAll(_lock);
        }
    }

    /// <summary>Only after every thread has ended; buffers lost to a failure are left to the collector.</summary>
    public void Dispose()
    {
        foreach (var buffer in _idle.Concat(_byAge.Select(s => s.Plain)))
            buffer.Dispose();
    }

    private OpenSpan? Oldest_NeedsLock()
    {
        foreach (var span in _byAge)
            if (span.Holders == 0)
                return span;
        return null;
    }

    private void Close_NeedsLock(OpenSpan span)
    {
        _open.Remove(span.Key);
        _byAge.Remove(span);
        targets[span.Key.Disk].Claim_NeedsLock(span.Span, span.Missing);
        _onTheWay++;
        Interlocked.Add(ref _waitingBytes, span.ArrivedBytes);
        _toWrite.Add(span);
        Monitor.PulseAll(_lock);
    }

    private void Wake()
    {
        lock (_lock)
            Monitor.PulseAll(_lock);
    }
}
