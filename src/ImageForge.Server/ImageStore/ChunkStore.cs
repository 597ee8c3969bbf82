using System.Collections.Concurrent;
using ImageForge.Imaging.Chunks;
using Microsoft.Win32.SafeHandles;

namespace ImageForge.Server.ImageStore;

/// <summary>
/// The chunks of every image, one zstd frame per file. A name shows either nothing or all of a chunk whose content was checked;
/// what counts as <em>held</em> after a crash is decided with the <see cref="ChunkJournal"/>.
/// </summary>
internal sealed partial class ChunkStore : IDisposable
{
    private readonly StoreFolder _folder;
    private readonly IStoreSync _sync;
    private readonly ChunkJournal _journal;
    private readonly ConcurrentDictionary<ChunkId, byte> _suspects;
    private readonly Lock _suspectLock = new();
    private readonly SemaphoreSlim _checkpoint = new(1, 1);
    private readonly long _reserve;
    private readonly TimeProvider _time;
    private int _losses;
    private long _storedCount;

    public ChunkStore(StoreFolder folder, IStoreSync sync, ImageStoreOptions options, TimeProvider time)
    {
        _folder = folder;
        _sync = sync;
        _time = time;
        _reserve = options.ReserveBytes;
        folder.RemoveDeadUploads();
        _journal = ChunkJournal.Open(folder, out var suspects);
        _suspects = new(suspects.Select(id => KeyValuePair.Create(id, (byte)0)));
    }

    /// <summary>Reads a part of a file; a test puts a broken disk here.</summary>
    internal Func<SafeFileHandle, Memory<byte>, long, int> Read { get; set; } = static (file, buffer, offset) => RandomAccess.Read(file, buffer.Span, offset);

    /// <summary>Chunks of an unclean end that nobody has hashed again yet.</summary>
    public int SuspectCount => _suspects.Count;

    /// <summary>Grows each time chunks that were held are given up. Whoever checked what is held before a sync compares it after.</summary>
    public int Losses => Volatile.Read(ref _losses);

    public int UnsyncedCount => _journal.StoredCount;

    /// <summary>Grows with each chunk stored.</summary>
    public long StoredCount => Interlocked.Read(ref _storedCount);

    /// <summary>Whether the chunk is there and may be relied on. A suspect is hashed now; a bad one is removed.</summary>
    public bool Holds(ChunkId id) => (_condemned.IsEmpty || !_condemned.ContainsKey(id))
        && (_suspects.IsEmpty || !_suspects.ContainsKey(id) ? File.Exists(_folder.ChunkFile(id)) : ClearSuspect(id));

    /// <summary>For each id whether it must be sent. It is durable afterwards that those may arrive.</summary>
    /// <exception cref="IOException">The journal cannot be written.</exception>
    public bool[] Missing(IReadOnlyList<ChunkId> ids)
    {
        var missing = new bool[ids.Count];
        for (var i = 0; i < missing.Length; i++)
            missing[i] = !Holds(ids[i]);
        _journal.Announce(ids.Where((_, i) => missing[i]));
        return missing;
    }

    /// <summary>Checks a frame and stores it. Concurrent calls for one id are fine: the content is the same by its name.</summary>
    public ChunkPut Put(ChunkId id, int plainLength, ReadOnlySpan<byte> frame)
    {
        if (Holds(id))
            return ChunkPut.AlreadyHeld;
        if (!ChunkFrame.Verify(id, plainLength, frame) || ZstdFrameHeader.ContentSize(frame) != plainLength)
            return ChunkPut.Refused;
        if (!HasSpaceFor(frame.Length))
            return ChunkPut.DiskFull;
        var temporary = _folder.NewIncomingFile();
        try
        {
            using (var file = File.OpenHandle(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None))
                RandomAccess.Write(file, frame, 0);
            MoveIntoPlace(id, temporary);
            return ChunkPut.Stored;
        }
        catch (Exception e)
        {
            File.Delete(temporary);
            if (DiskFull.Is(e))
                return ChunkPut.DiskFull;
            throw;
        }
    }

    /// <summary>Opens a chunk for reading; null if it is not there.</summary>
    public SafeFileHandle? OpenRead(ChunkId id)
    {
        try
        {
            return File.OpenHandle(_folder.ChunkFile(id), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    /// <summary>Bytes of the stored frame, or null when it is not there.</summary>
    public long? StoredLength(ChunkId id) => new FileInfo(_folder.ChunkFile(id)) is { Exists: true } file ? file.Length : null;

    /// <summary>Reads the chunk back and hashes it.</summary>
    /// <exception cref="IOException">It cannot be read now, which says nothing of the chunk: too many open files, for example.</exception>
    public ChunkVerdict Verify(ChunkId id) => Verify(id, OpenRead(id), fromDisk: false, out _);

    /// <summary>As <see cref="Verify(ChunkId)"/>, but of what lies on the disk: a copy in memory says nothing of it.</summary>
    /// <param name="length">Bytes of the frame.</param>
    public ChunkVerdict Reverify(ChunkId id, out long length) => Verify(id, OpenRead(id), fromDisk: true, out length);

    private ChunkVerdict Verify(ChunkId id, SafeFileHandle? opened, bool fromDisk, out long length)
    {
        length = 0;
        using var file = opened;
        if (file is null)
            return ChunkVerdict.Missing;
        if (fromDisk)
            StoreSync.ForgetCached(file);
        length = RandomAccess.GetLength(file);
        if (length > ChunkFrame.MaxLength(ChunkSizes.Largest))
            return ChunkVerdict.Corrupt;
        var frame = GC.AllocateUninitializedArray<byte>((int)length);
        var read = 0;
        try
        {
            while (read < frame.Length && Read(file, frame.AsMemory(read), read) is > 0 and var n)
                read += n;
        }
        catch (IOException e) when (IsMediumError(e))
        {
            return ChunkVerdict.Unreadable;
        }
        return read == frame.Length
            && ZstdFrameHeader.ContentSize(frame) is >= 1 and <= ChunkSizes.Largest and var plain
            && ChunkFrame.Verify(id, (int)plain, frame) ? ChunkVerdict.Good : ChunkVerdict.Corrupt;
    }

    /// <summary>Hashes the chunks that an unclean end left; returns how many were bad and are removed.</summary>
    /// <param name="unreadable">Hears of each chunk that cannot be read or removed now and stays a suspect; without it the first one throws.</param>
    public int VerifySuspects(CancellationToken cancellationToken, Action<ChunkId, Exception>? unreadable = null)
    {
        var bad = 0;
        foreach (var id in _suspects.Keys)
        {
            cancellationToken.ThrowIfCancellationRequested();
            try
            {
                if (!ClearSuspect(id))
                    bad++;
            }
            catch (Exception e) when (unreadable is not null && e is IOException or UnauthorizedAccessException)
            {
                unreadable!(id, e);
            }
        }
        return bad;
    }

    /// <summary>
    /// Makes every chunk stored before this call durable. Returns 0 or the errno: then what arrived since the last
    /// success is removed, because nobody can say which of it reached the disk.
    /// </summary>
    public async Task<int> MakeDurableAsync(CancellationToken cancellationToken)
    {
        await _checkpoint.WaitAsync(cancellationToken);
        try
        {
            // Off the request's thread: writing back gigabytes takes its time.
            return await Task.Run(() => Checkpoint(cancellationToken), cancellationToken);
        }
        finally
        {
            _checkpoint.Release();
        }
    }

    public bool HasSpaceFor(long bytes) => _folder.FreeBytes() - bytes >= _reserve;

    /// <summary>A clean end: nothing is left to hash at the next start.</summary>
    public void Dispose()
    {
        if (_suspects.IsEmpty && _journal.StoredCount > 0)
            Checkpoint(CancellationToken.None);
        _journal.Dispose();
        _checkpoint.Dispose();
    }

    private int Checkpoint(CancellationToken cancellationToken)
    {
        // The journal forgets what a sync covers, and a sync does not repair a suspect.
        VerifySuspects(cancellationToken);
        var checkpoint = _journal.Rotate();
        var errno = _sync.SyncFileSystem();
        if (errno != 0)
        {
            Interlocked.Increment(ref _losses);
            foreach (var id in checkpoint.Stored)
            {
                File.Delete(_folder.ChunkFile(id));
                _suspects.TryRemove(id, out _);
            }
        }
        _journal.Complete(checkpoint);
        return errno;
    }

    private void MoveIntoPlace(ChunkId id, string temporary)
    {
        var stored = false;
        _journal.Begin(id);
        try
        {
            lock (StripeOf(id))
            {
                _condemned.TryRemove(id, out _);
                Rename(temporary, _folder.ChunkFile(id));
            }
            stored = true;
            Interlocked.Increment(ref _storedCount);
        }
        finally
        {
            _journal.End(id, stored);
        }
    }

    private static void Rename(string temporary, string path)
    {
        try
        {
            File.Move(temporary, path, overwrite: true);
        }
        catch (DirectoryNotFoundException)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.Move(temporary, path, overwrite: true);
        }
    }

    /// <summary>True if the chunk is good; one that cannot be read is not, and no version needs it. Two callers may hash the same one; both come to the same answer.</summary>
    private bool ClearSuspect(ChunkId id)
    {
        var good = Verify(id) == ChunkVerdict.Good;
        lock (_suspectLock)
        {
            // Only while it is still a suspect: somebody may have put a good one in its place meanwhile.
            if (_suspects.ContainsKey(id))
            {
                if (!good)
                    File.Delete(_folder.ChunkFile(id));
                // Last: a bad one that could not be removed must not pass as good.
                _suspects.TryRemove(id, out _);
            }
        }
        return good;
    }

    /// <summary>EIO, EBADMSG, EUCLEAN (Linux errno.h): the disk or the file system has lost this content, or a cable or a controller failed for a moment.</summary>
    private static bool IsMediumError(IOException e) => e.HResult is 5 or 74 or 117;
}
