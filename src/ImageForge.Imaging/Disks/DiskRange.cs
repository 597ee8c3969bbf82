namespace ImageForge.Imaging.Disks;

/// <summary>The rules every <see cref="IBlockDevice"/> keeps: whole sectors, inside the disk, no write to a read-only one.</summary>
internal static class DiskRange
{
    public static void Check(IBlockDevice disk, string operation, long offset, long length)
    {
        if (offset < 0 || length < 0 || offset % disk.SectorSize != 0 || length % disk.SectorSize != 0)
            throw new DiskException(disk.Name, operation, offset, Errno.EINVAL, $"{length} bytes are not whole sectors of {disk.SectorSize}");
        if (offset > disk.SizeBytes - length)
            throw new DiskException(disk.Name, operation, offset, Errno.EINVAL, $"{length} bytes reach beyond the disk's {disk.SizeBytes}");
    }

    public static void CheckWrite(IBlockDevice disk, string operation, long offset, long length)
    {
        if (disk.IsReadOnly)
            throw new DiskException(disk.Name, operation, offset, Errno.EROFS, "it was opened read-only");
        Check(disk, operation, offset, length);
    }
}
