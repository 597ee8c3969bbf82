namespace ImageForge.Imaging.FileSystems;

/// <summary>The numbers are those of the manifest.</summary>
public enum FileSystemKind
{
    Unknown, Fat12, Fat16, Fat32, Ext2, Ext3, Ext4, Ntfs,
    ExFat = 8, Xfs = 9, Btrfs = 10, F2fs = 11, Swap = 12, Luks = 13, BitLocker = 14, Lvm = 15,
}

/// <summary>What was recognised on a volume and which of its blocks hold content.</summary>
/// <param name="BlockSize">Bytes per bit of <paramref name="Used"/>, a power of two ≥ the sector size.</param>
/// <param name="Used">One bit per block from the volume's first byte; the last block may be partial. Unknown content: every block used.</param>
/// <param name="Note">Why nothing could be skipped, or another remark for people; null if there is none.</param>
public sealed record VolumeContent(FileSystemKind Kind, int BlockSize, BlockMap Used, string? Uuid, string? Label, string? Note);
