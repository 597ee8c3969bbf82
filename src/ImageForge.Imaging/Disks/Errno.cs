namespace ImageForge.Imaging.Disks;

/// <summary>Linux error numbers (asm-generic/errno-base.h, errno.h) that disks answer with.</summary>
internal static class Errno
{
    public const int EPERM = 1, ENOENT = 2, EINTR = 4, EIO = 5, ENXIO = 6, EAGAIN = 11, EACCES = 13, EBUSY = 16, ENODEV = 19,
        EINVAL = 22, ENOTTY = 25, ENOSPC = 28, EROFS = 30, ENODATA = 61, ETIMEDOUT = 110, EREMOTEIO = 121, EILSEQ = 84,
        EOPNOTSUPP = 95, EDQUOT = 122, ENOMEDIUM = 123;

    public static DiskTrouble Classify(int errno) => errno switch
    {
        // ENODATA and EILSEQ are what the block layer makes of "medium error" and "protection error".
        EIO or ENODATA or EILSEQ or EREMOTEIO or ETIMEDOUT => DiskTrouble.MediumError,
        ENODEV or ENXIO or ENOMEDIUM => DiskTrouble.Vanished,
        EBUSY => DiskTrouble.Busy,
        EROFS => DiskTrouble.ReadOnly,
        EACCES or EPERM => DiskTrouble.Denied,
        ENOSPC or EDQUOT => DiskTrouble.NoSpace,
        _ => DiskTrouble.Other,
    };

    public static string Name(int errno) => errno switch
    {
        EPERM => "EPERM",
        ENOENT => "ENOENT",
        EIO => "EIO",
        ENXIO => "ENXIO",
        EACCES => "EACCES",
        EBUSY => "EBUSY",
        ENODEV => "ENODEV",
        EINVAL => "EINVAL",
        ENOSPC => "ENOSPC",
        EROFS => "EROFS",
        ENODATA => "ENODATA",
        EILSEQ => "EILSEQ",
        ETIMEDOUT => "ETIMEDOUT",
        EREMOTEIO => "EREMOTEIO",
        EDQUOT => "EDQUOT",
        ENOMEDIUM => "ENOMEDIUM",
        _ => $"error {errno}",
    };

    /// <summary>The sentence part that follows "read of /dev/sda at byte 0: ".</summary>
    public static string Text(int errno) => errno switch
    {
        EIO or ENODATA or EILSEQ or EREMOTEIO or ETIMEDOUT => $"the disk reports an error there ({Name(errno)})",
        ENODEV or ENXIO => $"the disk vanished ({Name(errno)})",
        ENOMEDIUM => "no medium is in the drive (ENOMEDIUM)",
        EBUSY => "it is in use: mounted, or held by another program (EBUSY)",
        EROFS => "it is write-protected (EROFS)",
        EACCES or EPERM => $"permission was refused ({Name(errno)})",
        ENOENT => "there is no such file or device (ENOENT)",
        ENOSPC or EDQUOT => $"no space is left ({Name(errno)})",
        EINVAL => "the kernel refused the request (EINVAL)",
        _ => $"the kernel answered {Name(errno)}",
    };
}
