using ImageForge.Imaging.Chunks;
using ImageForge.Imaging.Manifests;
using ImageForge.Multicast.Frames;
using ImageForge.Server.Agents;
using ImageForge.Server.Images;
using ImageForge.Server.ImageStore;
using Microsoft.Data.Sqlite;

namespace ImageForge.Server.Multicasting;

/// <summary>
/// The frames of a version as a sender wants them, straight from the store. Each is opened and hashed before it is sent for the first time: what has
/// rotted on the disk must not cost a whole room the way to the network and back. What cannot be had is told once, and members fetch it by themselves,
/// with the error that every deploy gets.
/// </summary>
internal sealed partial class StoredFrames(
    string image, string manifestHash, ChunkNumbers numbers, ChunkStore store, ChunkFaults faults, VersionChunks versions, Alarms alarms, ILogger logger) : IFrameSource
{
    private readonly ImageForge.Multicast.ChunkSet _good = new(numbers.Count), _bad = new(numbers.Count);
    private readonly Lock _lock = new();

    /// <summary>Chunks that could not be had.</summary>
    public int Bad
    {
        get
        {
            lock (_lock)
                return _bad.Count;
        }
    }

    public async ValueTask<int> ReadFrameAsync(int chunk, Memory<byte> frame, CancellationToken cancel)
    {
        if (Has(_bad, chunk))
            return 0;
        var id = numbers[chunk];
        var length = Read(id, frame.Span);
        if (length > 0 && (Has(_good, chunk) || ChunkFrame.Verify(id, numbers.PlainLength(chunk), frame.Span[..length])))
        {
            Note(_good, chunk);
            return length;
        }
        Note(_bad, chunk);
        try
        {
            return await LookAgainAsync(chunk, id, frame, cancel);
        }
        catch (Exception e) when (e is SqliteException or IOException or UnauthorizedAccessException)
        {
            // One chunk less in the stream; whoever fetches it over HTTP makes the server look again.
            LogNotRecorded(e, id, image);
            return 0;
        }
    }

    private async ValueTask<int> LookAgainAsync(int chunk, ChunkId id, Memory<byte> frame, CancellationToken cancel)
    {
        versions.Doubt(manifestHash);
        // Looks once more, moves what has rotted out of the way, records whom it hurts and tells people.
        var verdict = (await faults.SetAsideAsync([id], cancel))[id];
        if (verdict == ChunkVerdict.Good)
        {
            Forget(chunk);
            return Read(id, frame.Span);
        }
        await alarms.RaiseAsync("chunkMissing", image, verdict == ChunkVerdict.Unreadable
            ? $"The disk of the server cannot read chunk {id} of {image}, so the multicast leaves it out: check that disk and its cable, then verify the store."
            : $"Chunk {id} of {image} is not in the store, so the multicast leaves it out. Capture the image again: what is missing is sent again.", cancel);
        return 0;
    }

    /// <summary>0: it is not there, cannot be read or is longer than any frame of the chunk.</summary>
    private int Read(ChunkId id, Span<byte> frame)
    {
        try
        {
            using var file = store.OpenRead(id);
            if (file is null)
                return 0;
            var length = RandomAccess.GetLength(file);
            if (length > frame.Length)
                return 0;
            var read = 0;
            while (read < length && RandomAccess.Read(file, frame[read..(int)length], read) is > 0 and var n)
                read += n;
            return read == length ? read : 0;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return 0;
        }
    }

    private bool Has(ImageForge.Multicast.ChunkSet set, int chunk)
    {
        lock (_lock)
            return set.Contains(chunk);
    }

    private void Note(ImageForge.Multicast.ChunkSet set, int chunk)
    {
        lock (_lock)
            set.Add(chunk);
    }

    private void Forget(int chunk)
    {
        lock (_lock)
            _bad.Remove(chunk);
    }
}
