namespace ImageForge.Imaging.FileSystems;

/// <summary>
/// Marks of formats that have no reader here. They name what an unknown volume holds, and they overrule a leftover superblock:
/// ReFS or a RAID on a former ext4 leave the bytes at 1024 alone.
/// </summary>
internal static class ForeignSignatures
{
    private sealed record Signature(long Offset, byte[] Bytes, string Text);

    // Offsets as libblkid's superblock probes document them.
    private static readonly Signature[] s_all =
    [
        new(3, [.. "ReFS"u8, 0, 0, 0, 0], "A ReFS file system"),
        new(0, [0xFC, 0x4E, 0x2B, 0xA9], "A Linux RAID member"),
        new(4096, [0xFC, 0x4E, 0x2B, 0xA9], "A Linux RAID member"),
        new(32, [.. "NXSB"u8], "An APFS container"),
        new(1024, [.. "H+\0\x04"u8], "An HFS+ file system"),
        new(32769, [.. "CD001"u8], "An ISO 9660 file system"),
        new(4096 + 24, [0xC6, 0x85, 0x73, 0xF6, 0x4E, 0x1A, 0x45, 0xCA, 0x82, 0x65, 0xF5, 0x7F, 0x48, 0xBA, 0x6D, 0x81], "A bcache device"),
        new(4096 + 24, [0xC6, 0x85, 0x73, 0xF6, 0x66, 0xCE, 0x90, 0xA9], "A bcachefs file system"),
        new(0, [.. "hsqs"u8], "A SquashFS file system"),
        new(1024, [.. "HX\0\x05"u8], "An HFSX file system"),
        new(0x10034, [.. "ReIsEr"u8], "A ReiserFS file system"),
        new(0x8000, [.. "JFS1"u8], "A JFS file system"),
        new(4086, [.. "SWAP-SPACE"u8], "Swap space of an old kind"),
    ];

    public static string? Find(VolumeReader volume) => Array.Find(s_all, signature => volume.HasReadable(signature.Offset, signature.Bytes))?.Text ?? PoolMembers.Find(volume);
}
