namespace ImageForge.Server.ImageStore;

/// <summary>How an upload of a chunk ended.</summary>
internal enum ChunkPut
{
    Stored,
    AlreadyHeld,

    /// <summary>Not exactly one zstd frame of that plain length and hash.</summary>
    Refused,
    DiskFull,
}

internal enum ChunkVerdict
{
    Good,
    Missing,

    /// <summary>The content is not what the name promises.</summary>
    Corrupt,

    /// <summary>The disk cannot read it, or could not just now; nobody knows its content.</summary>
    Unreadable,
}
