namespace ImageForge.Imaging.Chunks;

/// <summary>A source that can tell what it holds, so that a deploy fails before the first write and not in the middle.</summary>
public interface IChunkInventory
{
    /// <summary>One answer per id, in order.</summary>
    ValueTask<bool[]> HeldAsync(IReadOnlyList<ChunkId> ids, CancellationToken cancel);
}
