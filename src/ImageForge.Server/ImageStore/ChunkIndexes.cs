using ImageForge.Imaging.Chunks;
using ImageForge.Imaging.Manifests;

namespace ImageForge.Server.ImageStore;

/// <summary>The indexes of sealed manifests, <c>index/‹hash of the manifest›</c>; see <see cref="ChunkIndex"/>.</summary>
internal sealed class ChunkIndexes(StoreFolder folder, ManifestFiles manifests, ChunkStore store)
{
    /// <summary>The chunks of a manifest whose ids begin with <paramref name="partition"/>, ascending; null: neither index nor manifest can be read.</summary>
    public async Task<IndexedChunk[]?> ReadAsync(string manifestHash, byte partition, CancellationToken cancellationToken) =>
        Read(manifestHash, partition) ?? (await RebuildAsync(manifestHash, cancellationToken) ? Read(manifestHash, partition) : null);

    /// <summary>Not synced: a torn one is noticed and made again.</summary>
    /// <param name="chunks">Ascending and different.</param>
    public void Write(string manifestHash, IReadOnlyList<IndexedChunk> chunks)
    {
        var temporary = folder.NewIncomingFile();
        try
        {
            File.WriteAllBytes(temporary, ChunkIndex.Write(chunks));
            File.Move(temporary, folder.IndexFile(manifestHash), overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    private IndexedChunk[]? Read(string manifestHash, byte partition)
    {
        try
        {
            using var file = new FileStream(folder.IndexFile(manifestHash), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            return ChunkIndex.ReadPartition(file, partition);
        }
        catch (FileNotFoundException)
        {
            return null;
        }
    }

    private async Task<bool> RebuildAsync(string manifestHash, CancellationToken cancellationToken)
    {
        var bytes = await manifests.ReadAsync(manifestHash, cancellationToken);
        if (bytes is null || ManifestHash.Of(bytes) != manifestHash || !ImageDisks.TryParse(bytes, out var image, out _))
            return false;
        var ids = image.DataChunks().Select(static c => c.Id).ToArray();
        Array.Sort(ids);
        Write(manifestHash, [.. ids.Where((id, i) => i == 0 || ids[i - 1] != id).Select(id => new IndexedChunk(id, (uint)(store.StoredLength(id) ?? 0)))]);
        return true;
    }
}
