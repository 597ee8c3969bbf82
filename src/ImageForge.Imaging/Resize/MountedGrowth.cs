using System.Buffers.Binary;
using ImageForge.Imaging.Disks;

namespace ImageForge.Imaging.Resize;

/// <summary>File systems that the kernel grows while they are mounted, by one ioctl each: what xfs_growfs and btrfs-progs do themselves.</summary>
internal static unsafe class MountedGrowth
{
    // linux/fs/xfs/libxfs/xfs_fs.h: struct xfs_fsop_geom_v4 (112 bytes; block size at 0, imaxpct at 28), struct xfs_growfs_data { u64 newblocks; u32 imaxpct }.
    private const nuint XFS_IOC_FSGEOMETRY_V4 = 0x8070587C, XFS_IOC_FSGROWFSDATA = 0x4010586E;

    // linux/btrfs.h: struct btrfs_ioctl_vol_args { s64 fd; char name[4088] }.
    private const nuint BTRFS_IOC_RESIZE = 0x50009403;

    public static GrowthOutcome Xfs(string node, long length)
    {
        // nouuid: a copy of the same image may be mounted beside it.
        var (mount, errno) = MountedVolume.Of(node, "xfs", "nouuid");
        if (mount is null)
            return VolumeGrower.Left($"XFS cannot be mounted ({Errno.Text(errno)})");
        using (mount)
        {
            var geometry = stackalloc byte[112];
            errno = mount.Ioctl(XFS_IOC_FSGEOMETRY_V4, geometry);
            if (errno != 0)
                return VolumeGrower.Left($"XFS does not tell its geometry ({Errno.Text(errno)})");
            var about = new ReadOnlySpan<byte>(geometry, 112);
            var grow = stackalloc ulong[2];
            grow[0] = (ulong)length / BinaryPrimitives.ReadUInt32LittleEndian(about);
            grow[1] = BinaryPrimitives.ReadUInt32LittleEndian(about[28..]);
            errno = mount.Ioctl(XFS_IOC_FSGROWFSDATA, grow);
            return errno == 0 ? new GrowthOutcome(true, null) : VolumeGrower.Left($"XFS refuses ({Errno.Text(errno)})");
        }
    }

    public static GrowthOutcome Btrfs(string node)
    {
        var (mount, errno) = MountedVolume.Of(node, "btrfs", null);
        if (mount is null)
            return VolumeGrower.Left($"Btrfs cannot be mounted ({Errno.Text(errno)})");
        using (mount)
        {
            var arguments = stackalloc byte[4096];
            var span = new Span<byte>(arguments, 4096);
            span.Clear();
            "max"u8.CopyTo(span[8..]);
            errno = mount.Ioctl(BTRFS_IOC_RESIZE, arguments);
            return errno == 0 ? new GrowthOutcome(true, null) : VolumeGrower.Left($"Btrfs refuses ({Errno.Text(errno)})");
        }
    }
}
