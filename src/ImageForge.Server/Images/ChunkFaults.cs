using Dapper;
using ImageForge.Imaging.Chunks;
using ImageForge.Server.Data;
using ImageForge.Server.Events;
using ImageForge.Server.ImageStore;

namespace ImageForge.Server.Images;

/// <summary>
/// Which chunks are known to be bad or missing in the store, and which versions that hurts. A bad chunk is set aside, never served again;
/// the store then lacks it, so whoever captures something with that content is asked for it. Once it is back and durable, the versions are whole again.
/// </summary>
internal sealed partial class ChunkFaults(
    Database database, ChunkStore store, ChunkIndexes indexes, ImageVersions versions, VersionChunks versionChunks, SealGate gate, EventLog events, TimeProvider time,
    ILogger<ChunkFaults> logger) : IDisposable
{
    private static readonly Comparer<IndexedChunk> ById = Comparer<IndexedChunk>.Create(static (a, b) => a.Id.CompareTo(b.Id));
    private readonly SemaphoreSlim _healing = new(1, 1);
    private long _healedAtCount = -1;

    /// <summary>Looks again at chunks that seem bad or missing, sets aside the bad ones and records whom each hurts.</summary>
    /// <param name="doubted">Ascending; all begin with the same byte.</param>
    /// <returns>What each turned out to be.</returns>
    public async Task<IReadOnlyDictionary<ChunkId, ChunkVerdict>> SetAsideAsync(IReadOnlyList<ChunkId> doubted, CancellationToken cancellationToken)
    {
        // No seal may count a chunk that leaves now, nor be missed among the versions that need it.
        using var _ = await gate.EnterAsync(cancellationToken);
        var verdicts = await Task.Run(() => doubted.ToDictionary(static id => id, store.VerifyOrQuarantine), cancellationToken);
        var lost = verdicts.Where(static v => v.Value is ChunkVerdict.Corrupt or ChunkVerdict.Missing).Select(static v => v.Key).Order().ToArray();
        if (lost.Length == 0)
            return verdicts;
        foreach (var version in await versions.ListManifestsAsync(cancellationToken))
        {
            if (await indexes.ReadAsync(version.ManifestHash, ChunkIndex.PartitionOf(lost[0]), cancellationToken) is not { } chunks)
                continue;
            var hurt = lost.Where(id => Array.BinarySearch(chunks, new IndexedChunk(id, 0), ById) >= 0).ToArray();
            if (hurt.Length == 0)
                continue;
            versionChunks.Doubt(version.ManifestHash);
            await RecordAsync(version, hurt, verdicts, cancellationToken);
        }
        return verdicts;
    }

    /// <summary>Forgets the faults whose chunks are held again, after making them durable. Returns how many chunks that were.</summary>
    /// <param name="force">Also when nothing was stored since the last time.</param>
    public async Task<int> HealAsync(bool force, CancellationToken cancellationToken)
    {
        await _healing.WaitAsync(cancellationToken);
        try
        {
            var stored = store.StoredCount;
            if (!force && stored == _healedAtCount)
                return 0;
            var back = (await ListAsync(cancellationToken)).Where(store.Holds).ToArray();
            // Before this the chunk may be gone again after a power cut, and its fault with it.
            if (back.Length > 0 && await store.MakeDurableAsync(cancellationToken) != 0)
                return 0;
            _healedAtCount = stored;
            // Nobody sets one of them aside again between the last look and the row.
            using var _ = await gate.EnterAsync(cancellationToken);
            back = [.. back.Where(store.Holds)];
            if (back.Length > 0)
                await ForgetAsync(back, cancellationToken);
            return back.Length;
        }
        finally
        {
            _healing.Release();
        }
    }

    public void Dispose() => _healing.Dispose();

    private async Task RecordAsync(VersionManifest version, ChunkId[] hurt, Dictionary<ChunkId, ChunkVerdict> verdicts, CancellationToken cancellationToken)
    {
        var now = time.NowMilliseconds();
        var added = await database.WriteAsync((connection, transaction) => connection.ExecuteAsync(
            "INSERT OR IGNORE INTO version_faults (chunk_id, version_id, kind, found_at) SELECT @id, id, @kind, @now FROM image_versions WHERE id = @VersionId",
            hurt.Select(id => new { id = id.ToArray(), kind = verdicts[id] == ChunkVerdict.Corrupt ? "corrupt" : "missing", now, version.VersionId }), transaction), cancellationToken);
        if (added == 0)
            return;
        LogHurt(hurt[0], version.Name, hurt.Length, verdicts[hurt[0]]);
        var what = hurt.Length == 1
            ? $"Chunk {hurt[0]} of {version.Name} is {(verdicts[hurt[0]] == ChunkVerdict.Corrupt ? "damaged in the store and was moved to quarantine" : "not in the store")}."
            : $"{hurt.Length} chunks of {version.Name} are damaged or missing in the store, for example {hurt[0]}.";
        await events.RecordAsync("chunkCorrupt", version.Name, $"{what} Capture a machine that has it again: what is missing is sent again.", cancellationToken);
    }

    private async Task<IReadOnlyList<ChunkId>> ListAsync(CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        return [.. (await connection.QueryAsync<byte[]>("SELECT DISTINCT chunk_id FROM version_faults")).Select(static id => new ChunkId(id))];
    }

    private Task ForgetAsync(ChunkId[] back, CancellationToken cancellationToken) =>
        database.WriteAsync(async (connection, transaction) =>
        {
            const string hurt = "SELECT DISTINCT i.name || ' version ' || v.number FROM version_faults f JOIN image_versions v ON v.id = f.version_id JOIN images i ON i.id = v.image_id";
            var before = (await connection.QueryAsync<string>(hurt, transaction: transaction)).ToList();
            await connection.ExecuteAsync("DELETE FROM version_faults WHERE chunk_id = @id", back.Select(static id => new { id = id.ToArray() }), transaction);
            foreach (var name in before.Except(await connection.QueryAsync<string>(hurt, transaction: transaction)))
                await events.RecordAsync("versionWhole", name, $"{name} is whole again: what was damaged or missing in the store has been sent again.", cancellationToken, transaction);
        }, cancellationToken);

    [LoggerMessage(LogLevel.Error, "{Count} chunks of {Image} are bad or missing, for example {Chunk}, which is {Verdict}")]
    private partial void LogHurt(ChunkId chunk, string image, int count, ChunkVerdict verdict);
}
