namespace ImageForge.Imaging.FileSystems;

/// <summary>Members of arrays and pools whose mark is not at one fixed place from the start.</summary>
internal static class PoolMembers
{
    private const int ZfsLabel = 256 << 10, ZfsUberblocks = 128 << 10;

    private static readonly byte[] s_raid = [0xFC, 0x4E, 0x2B, 0xA9];

    public static string? Find(VolumeReader volume) => IsRaid(volume) ? "A Linux RAID member" : IsZfs(volume) ? "A ZFS pool member" : null;

    /// <summary>Superblocks at the end (Linux <c>drivers/md/md.c</c>): version 0.90 in the last whole 64 KiB but one, version 1.0 at least 8 KiB before it.</summary>
    private static bool IsRaid(VolumeReader volume)
    {
        var old = (volume.Length & ~0xFFFFL) - 0x10000;
        var one = (volume.Length / 512 - 16 & ~7L) * 512;
        return old >= 0 && volume.HasReadable(old, s_raid) || one >= 0 && volume.HasReadable(one, s_raid);
    }

    /// <summary>
    /// Uberblocks ("ZFS On-Disk Specification" §1.3) begin with 0x00BAB10C in the writer's order, one per KiB in the second half of each label.
    /// ZFS leaves the place of an old ext4's superblock alone. Four make a pool: one may be a leftover in somebody's free space.
    /// </summary>
    private static bool IsZfs(VolumeReader volume)
    {
        for (long label = 0; label < 2 * ZfsLabel; label += ZfsLabel)
        {
            var found = 0;
            for (var at = label + ZfsUberblocks; at < label + ZfsLabel && at <= volume.Length - 8; at += 1024)
                found += volume.HasReadable(at, [0x0C, 0xB1, 0xBA, 0, 0, 0, 0, 0]) || volume.HasReadable(at, [0, 0, 0, 0, 0, 0xBA, 0xB1, 0x0C]) ? 1 : 0;
            if (found >= 4)
                return true;
        }
        return false;
    }
}
