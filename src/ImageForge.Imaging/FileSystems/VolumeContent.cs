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
public sealed record VolumeContent(FileSystemKind Kind, int BlockSize, BlockMap Used, string? Uuid, string? Label, string? Note)
{
    /// <summary>
    /// Blocks that are used but whose content is recorded as zero without being read (pagefile, swapfile, hiberfil); same blocks as
    /// <see cref="Used"/>, of which it is a part. A deploy writes zeros there. Null: none.
    /// </summary>
    public BlockMap? Skipped { get; init; }

    /// <summary>How the file system was left; <see cref="Note"/> says it in words.</summary>
    public VolumeState State { get; init; }

    /// <summary>Remarks that are there, as one text; null: none is.</summary>
    internal static string? Notes(params ReadOnlySpan<string?> notes)
    {
        string? all = null;
        foreach (var note in notes)
            all = all is null || note is null ? all ?? note : $"{all} {note}";
        return all;
    }
}

/// <summary>How a file system was left. Anything but <see cref="Clean"/> is refused by a capture that is told to (CaptureChoices.Dirty).</summary>
public enum VolumeState
{
    /// <summary>Closed cleanly, or nothing is known that says otherwise.</summary>
    Clean,

    /// <summary>Not closed cleanly, or marked for a check.</summary>
    Dirty,

    /// <summary>Its own journal has work left that the maps on disk do not show.</summary>
    JournalPending,

    /// <summary>It has found errors in itself.</summary>
    Errors,

    /// <summary>A hibernated system holds part of it in its memory image; Windows' Fast Startup leaves the same.</summary>
    Hibernated,
}
