namespace ImageForge.Imaging.Manifests;

/// <summary>Constants of the file; README.md has the layout byte by byte.</summary>
internal static class ManifestFormat
{
    /// <summary>The carriage return and line feed show a file that a text transfer damaged.</summary>
    public static ReadOnlySpan<byte> Magic => "IFMAN\r\n\x1A"u8;

    public const ushort Version = 1;
    public const int HeaderBytes = 24;
    public const int TrailerBytes = 32;

    /// <summary>Plain bytes of the body. 4 TB, every 4 KiB block mapped and every chunk data, make 270 MB.</summary>
    public const int MaxBodyBytes = 512 << 20;

    public const int MaxGptBytes = 1 << 20;
    public const int MaxVolumes = 1024;
    public const int MaxRegions = 1024;
    public const int MaxRegionBytes = 32 << 20;
    public const int MaxTextBytes = 1024;
    /// <summary>Of one image.</summary>
    public const int MaxDamagedRanges = 4096;

    public const int DamagedRangeBytes = 16;
    public const long MaxDiskBytes = 1L << 50;
    public const int MaxChunksPerVolume = 1 << 28;
    public const ushort NoText = 0xFFFF;
}
