using ImageForge.Imaging.Chunks;

namespace ImageForge.Server.ImageStore;

/// <summary>
/// Somebody who counts on chunks beside the sealed versions: captures do by their leases. Whoever begins to count on a chunk first makes
/// that visible here, and only then asks whether the store holds it: then either the sweep sees it, or the store answers that it lacks it.
/// </summary>
internal interface IChunkRoots
{
    /// <summary>Adds to <paramref name="kept"/> which of the candidates are counted on. Asked right before they are removed.</summary>
    /// <param name="candidates">Ascending; all lie in one folder, so that they differ only after the second byte.</param>
    Task KeepAsync(IReadOnlyList<ChunkId> candidates, HashSet<ChunkId> kept, CancellationToken cancellationToken);
}
