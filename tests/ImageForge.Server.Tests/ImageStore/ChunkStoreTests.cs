using ImageForge.Imaging.Chunks;
using ImageForge.Server.ImageStore;

namespace ImageForge.Server.Tests.ImageStore;

public sealed class ChunkStoreTests
{
    [Fact]
    public void A_stored_chunk_lies_under_its_id_and_reads_back()
    {
        using var store = new TestStore();
        var chunk = TestChunk.Several(1, 1)[0];
        Assert.Equal([true], store.Chunks.Missing([chunk.Id]));
        Assert.Equal(ChunkPut.Stored, store.Chunks.Put(chunk.Id, chunk.Plain.Length, chunk.Frame));

        var name = chunk.Id.ToString();
        Assert.Equal(chunk.Frame, File.ReadAllBytes(Path.Combine(store.Folder.Root, "chunks", name[..2], name[2..4], name)));
        Assert.Equal([false], store.Chunks.Missing([chunk.Id]));
        Assert.Equal(ChunkVerdict.Good, store.Chunks.Verify(chunk.Id));
        Assert.Equal(0, TestStore.FilesIn(store.Folder.Incoming));
    }

    [Fact]
    public void Storing_a_chunk_again_changes_nothing()
    {
        using var store = new TestStore();
        var chunk = TestChunk.Several(2, 1)[0];
        store.Chunks.Put(chunk.Id, chunk.Plain.Length, chunk.Frame);
        var before = File.GetLastWriteTimeUtc(store.Folder.ChunkFile(chunk.Id));
        Assert.Equal(ChunkPut.AlreadyHeld, store.Chunks.Put(chunk.Id, chunk.Plain.Length, chunk.Frame));
        Assert.Equal(before, File.GetLastWriteTimeUtc(store.Folder.ChunkFile(chunk.Id)));
    }

    [Fact]
    public void Everything_that_is_not_exactly_the_chunk_is_refused_and_leaves_nothing()
    {
        using var store = new TestStore();
        var (chunk, other) = (TestChunk.Several(3, 2)[0], TestChunk.Several(3, 2)[1]);
        var flipped = chunk.Frame.ToArray();
        flipped[flipped.Length / 2] ^= 1;
        (string What, ChunkId Id, int Length, byte[] Frame)[] bad =
        [
            ("another chunk's content", chunk.Id, chunk.Plain.Length, other.Frame),
            ("one bit flipped", chunk.Id, chunk.Plain.Length, flipped),
            ("cut short", chunk.Id, chunk.Plain.Length, chunk.Frame[..^1]),
            ("a byte too many", chunk.Id, chunk.Plain.Length, [.. chunk.Frame, 0]),
            ("two frames", chunk.Id, chunk.Plain.Length, [.. chunk.Frame, .. other.Frame]),
            ("length too small", chunk.Id, chunk.Plain.Length - 1, chunk.Frame),
            ("length too large", chunk.Id, chunk.Plain.Length + 1, chunk.Frame),
            ("plain bytes", chunk.Id, chunk.Plain.Length, chunk.Plain),
            ("empty", chunk.Id, chunk.Plain.Length, []),
            ("length zero", chunk.Id, 0, chunk.Frame),
            ("length negative", chunk.Id, -1, chunk.Frame),
            ("length beyond the largest chunk", chunk.Id, int.MaxValue, chunk.Frame),
        ];
        foreach (var (what, id, length, frame) in bad)
            Assert.True(store.Chunks.Put(id, length, frame) == ChunkPut.Refused, what);
        Assert.Equal(0, TestStore.FilesIn(store.Folder.Chunks));
        Assert.Equal(0, TestStore.FilesIn(store.Folder.Incoming));
    }

    [Fact]
    public void A_frame_that_decompresses_to_more_than_it_says_is_refused()
    {
        using var store = new TestStore();
        // 16 MiB of zeros in a frame of some hundred bytes, announced as 64 KiB.
        var bomb = TestChunk.Of(new byte[16 << 20]);
        Assert.True(bomb.Frame.Length < 4096);
        Assert.Equal(ChunkPut.Refused, store.Chunks.Put(bomb.Id, 64 << 10, bomb.Frame));
    }

    [Fact]
    public async Task Hundreds_of_uploads_of_one_chunk_at_once_store_it_once_and_whole()
    {
        using var store = new TestStore();
        var chunk = TestChunk.Several(4, 1)[0];
        var results = await Task.WhenAll(Enumerable.Range(0, 200).Select(_ => Task.Run(() => store.Chunks.Put(chunk.Id, chunk.Plain.Length, chunk.Frame))));
        Assert.All(results, r => Assert.True(r is ChunkPut.Stored or ChunkPut.AlreadyHeld));
        Assert.Contains(ChunkPut.Stored, results);
        Assert.Equal(ChunkVerdict.Good, store.Chunks.Verify(chunk.Id));
        Assert.Equal(1, TestStore.FilesIn(store.Folder.Chunks));
        Assert.Equal(0, TestStore.FilesIn(store.Folder.Incoming));
    }

    [Fact]
    public void After_a_kill_every_chunk_since_the_last_sync_is_hashed_before_it_counts_as_held()
    {
        using var store = new TestStore();
        var chunks = TestChunk.Several(5, 20);
        foreach (var chunk in chunks)
            store.Chunks.Put(chunk.Id, chunk.Plain.Length, chunk.Frame);
        // What a power cut leaves: names whose content never reached the disk.
        File.WriteAllBytes(store.Folder.ChunkFile(chunks[3].Id), []);
        File.WriteAllBytes(store.Folder.ChunkFile(chunks[7].Id), new byte[chunks[7].Frame.Length]);

        store.Crash();
        Assert.Equal(20, store.Chunks.SuspectCount);
        var missing = store.Chunks.Missing([.. chunks.Select(c => c.Id)]);
        Assert.Equal([3, 7], missing.Index().Where(m => m.Item).Select(m => m.Index));
        Assert.False(File.Exists(store.Folder.ChunkFile(chunks[3].Id)));
        Assert.Equal(ChunkPut.Stored, store.Chunks.Put(chunks[3].Id, chunks[3].Plain.Length, chunks[3].Frame));
    }

    [Fact]
    public void A_suspect_the_disk_cannot_read_is_removed_and_the_others_are_still_hashed()
    {
        using var store = new TestStore();
        var chunks = TestChunk.Several(15, 5);
        foreach (var chunk in chunks)
            store.Chunks.Put(chunk.Id, chunk.Plain.Length, chunk.Frame);
        store.Crash();
        var reads = 0;
        store.Chunks.Read = (file, buffer, offset) => ++reads == 2 ? throw new IOException("Input/output error", 5) : RandomAccess.Read(file, buffer.Span, offset);
        Assert.Equal(1, store.Chunks.VerifySuspects(default));
        Assert.Equal(0, store.Chunks.SuspectCount);
        Assert.Single(store.Chunks.Missing([.. chunks.Select(c => c.Id)]), missing => missing);
    }

    [Fact]
    public void A_suspect_that_cannot_be_opened_now_stays_a_suspect_and_is_told_of()
    {
        using var store = new TestStore();
        var chunks = TestChunk.Several(16, 5);
        foreach (var chunk in chunks)
            store.Chunks.Put(chunk.Id, chunk.Plain.Length, chunk.Frame);
        store.Crash();
        var reads = 0;
        store.Chunks.Read = (file, buffer, offset) => ++reads == 2 ? throw new IOException("Too many open files", 24) : RandomAccess.Read(file, buffer.Span, offset);
        var told = new List<ChunkId>();
        Assert.Equal(0, store.Chunks.VerifySuspects(default, (id, _) => told.Add(id)));
        Assert.Single(told);
        Assert.Equal(1, store.Chunks.SuspectCount);
        Assert.All(chunks, c => Assert.True(store.Chunks.Holds(c.Id)));
    }

    [Fact]
    public async Task What_a_sync_made_durable_is_not_hashed_again()
    {
        using var store = new TestStore();
        var chunks = TestChunk.Several(6, 5);
        foreach (var chunk in chunks[..4])
            store.Chunks.Put(chunk.Id, chunk.Plain.Length, chunk.Frame);
        Assert.Equal(0, await store.Chunks.MakeDurableAsync(default));
        store.Chunks.Put(chunks[4].Id, chunks[4].Plain.Length, chunks[4].Frame);
        store.Crash();
        Assert.Equal(1, store.Chunks.SuspectCount);
    }

    [Fact]
    public async Task A_chunk_that_arrives_during_the_sync_stays_suspect()
    {
        using var store = new TestStore();
        var chunks = TestChunk.Several(7, 2);
        store.Chunks.Put(chunks[0].Id, chunks[0].Plain.Length, chunks[0].Frame);
        store.Sync.During = () => store.Chunks.Put(chunks[1].Id, chunks[1].Plain.Length, chunks[1].Frame);
        Assert.Equal(0, await store.Chunks.MakeDurableAsync(default));
        store.Sync.During = null;
        store.Crash();
        Assert.Equal(1, store.Chunks.SuspectCount);
        Assert.True(store.Chunks.Holds(chunks[1].Id));
    }

    [Fact]
    public async Task Suspects_are_hashed_before_a_sync_may_vouch_for_them()
    {
        // The journal forgets what a sync covers: a bad suspect would have counted as held after the next crash.
        using var store = new TestStore();
        var chunks = TestChunk.Several(8, 3);
        foreach (var chunk in chunks)
            store.Chunks.Put(chunk.Id, chunk.Plain.Length, chunk.Frame);
        File.WriteAllBytes(store.Folder.ChunkFile(chunks[1].Id), new byte[10]);
        store.Crash();
        Assert.Equal(0, await store.Chunks.MakeDurableAsync(default));
        store.Crash();
        Assert.Equal(0, store.Chunks.SuspectCount);
        Assert.False(store.Chunks.Holds(chunks[1].Id));
        Assert.True(store.Chunks.Holds(chunks[0].Id));
    }

    [Fact]
    public void Two_crashes_in_a_row_forget_no_suspect()
    {
        using var store = new TestStore();
        var chunks = TestChunk.Several(9, 3);
        foreach (var chunk in chunks)
            store.Chunks.Put(chunk.Id, chunk.Plain.Length, chunk.Frame);
        store.Crash();
        store.Crash();
        Assert.Equal(3, store.Chunks.SuspectCount);
    }

    [Fact]
    public void A_clean_end_leaves_nothing_to_hash()
    {
        using var store = new TestStore();
        foreach (var chunk in TestChunk.Several(10, 3))
            store.Chunks.Put(chunk.Id, chunk.Plain.Length, chunk.Frame);
        store.Reopen();
        Assert.Equal(0, store.Chunks.SuspectCount);
        Assert.Equal(1, store.Sync.Calls);
    }

    [Fact]
    public async Task A_failed_sync_gives_up_what_arrived_since_the_last_good_one()
    {
        using var store = new TestStore();
        var chunks = TestChunk.Several(11, 4);
        foreach (var chunk in chunks[..2])
            store.Chunks.Put(chunk.Id, chunk.Plain.Length, chunk.Frame);
        Assert.Equal(0, await store.Chunks.MakeDurableAsync(default));
        foreach (var chunk in chunks[2..])
            store.Chunks.Put(chunk.Id, chunk.Plain.Length, chunk.Frame);
        var losses = store.Chunks.Losses;
        store.Sync.NextErrno = 5;
        Assert.Equal(5, await store.Chunks.MakeDurableAsync(default));
        Assert.NotEqual(losses, store.Chunks.Losses);
        Assert.Equal([false, false, true, true], store.Chunks.Missing([.. chunks.Select(c => c.Id)]));
    }

    [Fact]
    public void A_second_server_on_the_same_store_is_refused()
    {
        using var store = new TestStore();
        var refusal = Assert.Throws<Server.Configuration.StartUpException>(() => new StoreFolder(store.Folder.Root));
        Assert.Contains("in use", refusal.Message, StringComparison.Ordinal);
        store.Reopen();
    }

    [Fact]
    public void Uploads_of_a_dead_process_are_removed_at_start()
    {
        using var store = new TestStore();
        File.WriteAllBytes(store.Folder.NewIncomingFile(), new byte[1000]);
        store.Crash();
        Assert.Equal(0, TestStore.FilesIn(store.Folder.Incoming));
    }

    [Fact]
    public void A_chunk_that_went_bad_is_moved_to_quarantine_and_wanted_again()
    {
        using var store = new TestStore();
        var chunk = TestChunk.Several(12, 1)[0];
        store.Chunks.Put(chunk.Id, chunk.Plain.Length, chunk.Frame);
        Assert.Equal(ChunkVerdict.Good, store.Chunks.VerifyOrQuarantine(chunk.Id));
        var rotten = chunk.Frame.ToArray();
        rotten[^5] ^= 4;
        File.WriteAllBytes(store.Folder.ChunkFile(chunk.Id), rotten);

        Assert.Equal(ChunkVerdict.Corrupt, store.Chunks.VerifyOrQuarantine(chunk.Id));
        Assert.Equal(rotten, File.ReadAllBytes(store.Folder.QuarantineFile(chunk.Id)));
        Assert.Equal(ChunkVerdict.Missing, store.Chunks.Verify(chunk.Id));
        Assert.Equal([true], store.Chunks.Missing([chunk.Id]));
        Assert.Equal(ChunkPut.Stored, store.Chunks.Put(chunk.Id, chunk.Plain.Length, chunk.Frame));
    }

    [Fact]
    public void A_torn_tail_of_the_journal_is_ignored()
    {
        using var store = new TestStore();
        var chunks = TestChunk.Several(13, 2);
        foreach (var chunk in chunks)
            store.Chunks.Put(chunk.Id, chunk.Plain.Length, chunk.Frame);
        var journal = Directory.GetFiles(store.Folder.Journal).Order().Last();
        using (var file = File.OpenHandle(journal, FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
            RandomAccess.Write(file, new byte[17], RandomAccess.GetLength(file));
        store.Crash();
        Assert.Equal(2, store.Chunks.SuspectCount);
    }

    [Fact]
    public void Random_bytes_as_journal_never_keep_the_store_from_opening()
    {
        using var store = new TestStore();
        var random = new Random(20260920);
        for (var round = 0; round < 200; round++)
        {
            var bytes = new byte[random.Next(0, 500)];
            random.NextBytes(bytes);
            File.WriteAllBytes(Path.Combine(store.Folder.Journal, $"{round:d12}"), bytes);
            File.WriteAllBytes(Path.Combine(store.Folder.Journal, $"x{round}"), bytes);
        }
        store.Crash();
        Assert.Equal(0, store.Chunks.SuspectCount);
    }

    [Fact]
    public async Task Uploads_during_many_syncs_are_all_either_synced_or_suspect()
    {
        // Any chunk whose rename the last sync did not see must be in the journal after a crash.
        using var store = new TestStore();
        var chunks = TestChunk.Several(14, 400, 4096);
        var stop = false;
        var syncing = Task.Run(async () =>
        {
            while (!Volatile.Read(ref stop))
                await store.Chunks.MakeDurableAsync(default);
        });
        await Parallel.ForEachAsync(chunks, new ParallelOptions { MaxDegreeOfParallelism = 8 }, (chunk, _) =>
        {
            Assert.Equal(ChunkPut.Stored, store.Chunks.Put(chunk.Id, chunk.Plain.Length, chunk.Frame));
            return ValueTask.CompletedTask;
        });
        Volatile.Write(ref stop, true);
        await syncing;
        var unsynced = store.Chunks.UnsyncedCount;
        store.Crash();
        Assert.Equal(unsynced, store.Chunks.SuspectCount);
        Assert.True(store.Sync.Calls > 3);
        Assert.All(chunks, c => Assert.True(store.Chunks.Holds(c.Id)));
    }
}
