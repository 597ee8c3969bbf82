namespace ImageForge.Imaging.Manifests;

/// <summary>Constants of the file that holds several disks; README.md has its layout.</summary>
internal static class DiskSetFormat
{
    public static ReadOnlySpan<byte> Magic => "IFSET\r\n\x1A"u8;

    public const ushort Version = 1;
    public const int HeaderBytes = 16;
    public const int TrailerBytes = 32;

    /// <summary>More than fit into any machine that is imaged as one.</summary>
    public const int MaxDisks = 32;

    public static bool IsSet(ReadOnlySpan<byte> file) => file.StartsWith(Magic);
}
