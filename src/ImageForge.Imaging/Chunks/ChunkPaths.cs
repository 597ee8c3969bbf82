namespace ImageForge.Imaging.Chunks;

/// <summary>Where a chunk lies below the folder <c>chunks</c>: <c>ab/cd/&lt;id&gt;</c>, so that no folder grows beyond some thousand names.</summary>
public static class ChunkPaths
{
    /// <summary>For example <c>ab/cd/abcd…</c>.</summary>
    public static string Relative(ChunkId id)
    {
        var name = id.ToString();
        return string.Concat(name.AsSpan(0, 2), "/", name.AsSpan(2, 2), "/") + name;
    }

    public static string Of(string chunkFolder, ChunkId id) => Path.Combine(chunkFolder, Relative(id));
}
