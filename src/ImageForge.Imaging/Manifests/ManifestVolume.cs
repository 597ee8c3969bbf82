namespace ImageForge.Imaging.Manifests;

/// <summary>A volume and its chunks.</summary>
public sealed class ManifestVolume
{
    internal ManifestVolume(VolumeHeader header) => Header = header;

    public VolumeHeader Header { get; }

    /// <summary>Chunks that cover the whole volume, the last one may be short.</summary>
    public int ChunkCount { get; }

    /// <summary>Bytes of used blocks, data and zero.</summary>
    public long UsedBytes { get; }

    /// <summary>Plain bytes of data chunks.</summary>
    public long DataBytes { get; }

    /// <summary>Every chunk in order.</summary>
    public IEnumerable<ManifestChunk> Chunks() => throw new NotImplementedException();
}
