using System.Buffers.Binary;

namespace ImageForge.Imaging.FileSystems;

/// <summary>
/// What lies behind a file system that ends before its volume: nothing of its own, but others keep things there. NTFS has its second boot
/// sector directly behind it or in the last sector, RAID adapters, DRBD, GEOM and disk encryption their metadata in the last MiB. So the
/// first and the last MiB are kept, and everything where the very end is not empty: it may belong to something that reaches further back.
/// </summary>
internal static class VolumeTail
{
    private const int Kept = 1 << 20;

    /// <summary>Here the formats that may reach further back have something: md, DRBD, verity, LVM, a pool's labels. Not all of them are known.</summary>
    private const int Looked = 128 << 10;

    /// <param name="end">First byte behind the file system.</param>
    /// <returns>A note for people when something is not kept, or is for a reason; else null.</returns>
    /// <exception cref="DamagedVolumeException">The file system ends behind its volume.</exception>
    public static string? Mark(VolumeReader volume, UsedMap map, long end)
    {
        if (end < 0 || end > volume.Length)
            throw new DamagedVolumeException("it is longer than its volume");
        if (volume.Length - end <= 2 * Kept)
        {
            map.MarkFrom(end);
            return null;
        }
        if (Metadata(volume, end) is { } metadata)
        {
            map.MarkFrom(end);
            return $"{metadata} lies behind the file system: everything there is kept.";
        }
        if (volume.Read(volume.Length - Looked, Looked).AsSpan().ContainsAnyExcept((byte)0))
        {
            map.MarkFrom(end);
            return $"Something lies in the last {Looked >> 10} KiB of the partition: everything behind the file system is kept.";
        }
        map.MarkBytes(end, Kept);
        map.MarkFrom(volume.Length - Kept);
        return $"The file system ends {(volume.Length - end) >> 20} MiB before its partition: of what lies behind, the first and the last MiB are kept.";
    }

    // Places as in the Linux kernel (drbd_int.h) and the SNIA DDF specification 2.0 §5.1. A member of a Linux RAID or of a ZFS pool does not
    // come this far (PoolMembers): it is taken whole.
    private static string? Metadata(VolumeReader volume, long end)
    {
        // A hash tree that was appended to its file system begins with its superblock (cryptsetup, lib/verity/verity.c) and grows with it.
        if (volume.HasReadable(end, "verity\0\0"u8))
            return "A dm-verity hash tree";
        const uint Ddf = 0x11DE11DE;
        if (Is(volume, volume.Length - 512, Ddf))
            return "RAID metadata (DDF)";
        // Internal metadata of version 8.4 and 9: a bitmap of 32 KiB per GiB before a superblock in the last 4 KiB.
        Span<byte> magic = stackalloc byte[4];
        volume.Read((volume.Length & ~0xFFFL) - 4096 + 60, magic);
        return BinaryPrimitives.ReadUInt32BigEndian(magic) is 0x8374026B or 0x8374026C or 0x8374026D ? "DRBD metadata" : null;
    }

    private static bool Is(VolumeReader volume, long offset, uint mark)
    {
        Span<byte> there = stackalloc byte[4];
        volume.Read(offset, there);
        return BinaryPrimitives.ReadUInt32LittleEndian(there) == mark;
    }
}
