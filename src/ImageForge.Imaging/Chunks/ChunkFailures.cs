using ImageForge.Contracts;

namespace ImageForge.Imaging.Chunks;

/// <summary>The failures a chunk can cause, in one wording for every source.</summary>
public static class ChunkFailures
{
    public static FailureException Missing(ChunkId id, Exception? inner = null) => new(
        "chunkMissing", Fault.Image, $"Chunk {id} of the image is not in the store.",
        "Verify the image on the server and capture it again, or deploy another version.", inner);
}
