using ImageForge.Server.ImageStore;

namespace ImageForge.Server.Tests.ImageStore;

public sealed class QuarantineTests
{
    [Fact]
    public void The_time_in_quarantine_begins_with_the_move()
    {
        using var store = new TestStore();
        var chunk = Stored(store, 31);
        Rot(store, chunk);
        File.SetLastWriteTimeUtc(store.Folder.ChunkFile(chunk.Id), DateTime.UnixEpoch);
        Assert.Equal(ChunkVerdict.Corrupt, store.Chunks.VerifyOrQuarantine(chunk.Id));
        Assert.InRange(TimeProvider.System.GetUtcNow() - File.GetLastWriteTimeUtc(store.Folder.QuarantineFile(chunk.Id)), TimeSpan.FromMinutes(-1), TimeSpan.FromMinutes(1));
    }

    [Theory]
    [InlineData(1, false, ChunkVerdict.Good)]
    [InlineData(1, true, ChunkVerdict.Corrupt)]
    [InlineData(2, false, ChunkVerdict.Unreadable)]
    [InlineData(2, true, ChunkVerdict.Unreadable)]
    public void Only_what_was_read_and_is_wrong_is_set_aside(int failures, bool rotten, object verdict)
    {
        using var store = new TestStore();
        var chunk = Stored(store, 32);
        if (rotten)
            Rot(store, chunk);
        var left = failures;
        store.Chunks.Read = (file, buffer, offset) => left-- > 0 ? throw new IOException("Input/output error", 5) : RandomAccess.Read(file, buffer.Span, offset);
        Assert.Equal(verdict, store.Chunks.VerifyOrQuarantine(chunk.Id));
        Assert.Equal(verdict is ChunkVerdict.Corrupt, File.Exists(store.Folder.QuarantineFile(chunk.Id)));
        Assert.Equal(verdict is not ChunkVerdict.Corrupt, File.Exists(store.Folder.ChunkFile(chunk.Id)));
    }

    [Fact]
    public void What_is_right_after_all_goes_back_before_it_would_be_destroyed()
    {
        using var store = new TestStore();
        var (lacking, held, bad) = (Stored(store, 33), Stored(store, 34), Stored(store, 35));
        File.Move(store.Folder.ChunkFile(lacking.Id), store.Folder.QuarantineFile(lacking.Id));
        File.Copy(store.Folder.ChunkFile(held.Id), store.Folder.QuarantineFile(held.Id));
        Rot(store, bad);
        store.Chunks.VerifyOrQuarantine(bad.Id);

        Assert.False(store.Chunks.MayDestroyQuarantined(lacking.Id, takeBack: false));
        Assert.False(store.Chunks.Holds(lacking.Id));
        Assert.False(store.Chunks.MayDestroyQuarantined(lacking.Id, takeBack: true));
        Assert.Equal(ChunkVerdict.Good, store.Chunks.Verify(lacking.Id));
        Assert.True(store.Chunks.MayDestroyQuarantined(held.Id, takeBack: true));
        Assert.True(store.Chunks.MayDestroyQuarantined(bad.Id, takeBack: true));
        store.Chunks.Read = static (_, _, _) => throw new IOException("Input/output error", 5);
        Assert.False(store.Chunks.MayDestroyQuarantined(bad.Id, takeBack: true));
    }

    private static TestChunk Stored(TestStore store, int seed)
    {
        var chunk = TestChunk.Several(seed, 1)[0];
        store.Chunks.Put(chunk.Id, chunk.Plain.Length, chunk.Frame);
        return chunk;
    }

    private static void Rot(TestStore store, TestChunk chunk)
    {
        var rotten = chunk.Frame.ToArray();
        rotten[^5] ^= 4;
        File.WriteAllBytes(store.Folder.ChunkFile(chunk.Id), rotten);
    }
}
