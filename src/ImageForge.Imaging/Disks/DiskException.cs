using ImageForge.Contracts;

namespace ImageForge.Imaging.Disks;

/// <summary>What kind of trouble a disk is in, as far as the kernel's error number tells.</summary>
public enum DiskTrouble
{
    /// <summary>Anything not listed below.</summary>
    Other,

    /// <summary>EIO and kin: the sector cannot be read or written, the disk itself is still there.</summary>
    MediumError,

    /// <summary>ENODEV, ENXIO, ENOMEDIUM, or a disk whose size fell to 0: it was unplugged or switched off.</summary>
    Vanished,

    /// <summary>EBUSY: mounted, or held by another program.</summary>
    Busy,

    /// <summary>EROFS: write-protected.</summary>
    ReadOnly,

    /// <summary>EACCES, EPERM: the program lacks the right.</summary>
    Denied,

    /// <summary>ENOSPC, EDQUOT: the file system below an image file is full.</summary>
    NoSpace,
}

/// <summary>A read or write that the device refused.</summary>
/// <param name="operation">read, write, flush, open …</param>
/// <param name="errno">The kernel's error number, 0 if there is none.</param>
public sealed class DiskException(string device, string operation, long offset, int errno, string message)
    : IOException($"{operation} of {device} at byte {offset}: {message}")
{
    public string Device { get; } = device;
    public string Operation { get; } = operation;
    public long Offset { get; } = offset;
    public int Errno { get; } = errno;
    public DiskTrouble Trouble { get; } = Disks.Errno.Classify(errno);

    /// <summary>The same trouble in the words for the screen: <c>diskVanished</c>, <c>diskMediumError</c>, <c>diskBusy</c>, <c>diskReadOnly</c>, <c>diskDenied</c>, <c>diskNoSpace</c>, <c>diskError</c>.</summary>
    public Failure ToFailure() => Trouble switch
    {
        DiskTrouble.Vanished => new("diskVanished", Fault.Disk, $"The disk {Device} vanished during {Operation} at byte {Offset}.", "Check its cable and power, then start the job again."),
        DiskTrouble.MediumError => new("diskMediumError", Fault.Disk, $"The disk {Device} could not {Operation} at byte {Offset} ({Disks.Errno.Name(Errno)}).", "Check the disk with its maker's tool (SMART) and replace it if sectors are bad."),
        DiskTrouble.Busy => new("diskBusy", Fault.Disk, $"The disk {Device} is in use, so {Operation} was refused.", "Unmount what is on it and stop programs that hold it, then start the job again."),
        DiskTrouble.ReadOnly => new("diskReadOnly", Fault.Disk, $"The disk {Device} is write-protected.", "Remove the write protection (switch, firmware setting) or choose another disk."),
        DiskTrouble.Denied => new("diskDenied", Fault.Disk, $"Permission to {Operation} {Device} was refused.", "Run the program with the right to use this disk."),
        DiskTrouble.NoSpace => new("diskNoSpace", Fault.Disk, $"No space is left for {Device} (at byte {Offset}).", "Free space below that file, then start the job again."),
        _ => new("diskError", Fault.Disk, $"{Message}.", "Check the disk and its cable, then start the job again."),
    };
}
