using System.Globalization;
using ImageForge.Contracts;
using ImageForge.Imaging.Disks;
using ImageForge.Imaging.Nbd;

namespace ImageForge.Imaging.DiskFiles;

/// <summary>Opens whatever a person calls a disk: a block device, a raw image file, or a file of a virtual machine.</summary>
public static class DiskFile
{
    /// <summary>Opened so that nothing can be written through it.</summary>
    /// <param name="sectorSize">Of an image file; null: what its partition table was made for, else 512. A block device knows its own.</param>
    /// <exception cref="FailureException"><c>diskNotFound</c>, <c>diskBusy</c>, <c>sectorSizeUnsupported</c>.</exception>
    /// <exception cref="DiskException">It cannot be opened.</exception>
    public static IBlockDevice OpenForReading(string path, int? sectorSize)
    {
        switch (KindOf(path))
        {
            case Kind.Device:
                // A file system that goes on changing while it is read gives an image of no moment at all.
                if (DiskInUse.Find(path, writersOnly: true) is { } user)
                    throw DiskInUse.Refusal(path, null, user);
                return LinuxBlockDevice.OpenForReading(path);
            case Kind.File when FormatOf(path) is var format and not DiskFileFormat.Raw:
                return OpenVirtual(path, format, sectorSize ?? 512, readOnly: true);
            case Kind.File:
                return NotEmpty(ImageFileDevice.OpenForReading(path, CheckedSectorSize(sectorSize) ?? GuessSectorSize(path)));
            default:
                throw NotFound(path);
        }
    }

    /// <summary>Opened for a deploy: a disk with anything mounted on it is refused with its name.</summary>
    /// <param name="sectorSize">Of an image file; null: that of the image, <paramref name="imageSectorSize"/>.</param>
    public static IBlockDevice OpenForWriting(string path, int? sectorSize, int imageSectorSize)
    {
        switch (KindOf(path))
        {
            case Kind.Device:
                return OpenDevice(path);
            case Kind.File when FormatOf(path) is var format and not DiskFileFormat.Raw:
                return OpenVirtual(path, format, sectorSize ?? imageSectorSize, readOnly: false);
            case Kind.File:
                if (DiskInUse.LoopDeviceOf(path) is { } loop)
                    throw DiskInUse.Refusal(path, null, $"it is attached as {loop}");
                return NotEmpty(Alone(ImageFileDevice.OpenForWriting(path, CheckedSectorSize(sectorSize) ?? imageSectorSize)));
            default:
                throw NotFound(path);
        }
    }

    /// <summary>Makes a new file that holds a disk; its format follows from its name (<c>.qcow2</c>, <c>.vmdk</c>, <c>.vhdx</c>, else raw).</summary>
    /// <exception cref="FailureException"><c>diskExists</c>.</exception>
    public static IBlockDevice Create(string path, long sizeBytes, int sectorSize)
    {
        if (KindOf(path) != Kind.Nothing)
            throw AlreadyThere(path);
        if (sizeBytes < 2L * sectorSize || sizeBytes % sectorSize != 0)
            throw new FailureException("diskSize", Fault.Disk, string.Create(CultureInfo.InvariantCulture, $"A disk of {sizeBytes:N0} bytes is not whole sectors of {sectorSize}."), "Name a size in MiB or GiB, for example --size 64GiB.");
        var format = DiskFileFormats.FromName(path);
        if (format == DiskFileFormat.Raw)
            return Alone(ImageFileDevice.Create(path, sizeBytes, sectorSize));
        QemuTools.Create(path, format, sizeBytes);
        return QemuNbd.Open(path, format, sectorSize, readOnly: false);
    }

    /// <summary>Two of these paths that lead to the same disk, or would make the same file; null: all are different.</summary>
    public static (string First, string Second)? FirstTwice(IReadOnlyList<string> paths)
    {
        var seen = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var path in paths)
            if (!seen.TryAdd(FileIdentity.Of(path), path))
                return (seen[FileIdentity.Of(path)], path);
        return null;
    }

    /// <summary>Whether there is something at this path.</summary>
    public static bool Exists(string path) => KindOf(path) != Kind.Nothing;

    public static FailureException AlreadyThere(string path) => new("diskExists", Fault.Disk, $"{path} is there already.", "Leave out --size to deploy onto it, or name a new file.");

    internal static DiskFileFormat FormatOf(string path)
    {
        var head = new byte[DiskFileFormats.HeadBytes];
        try
        {
            using var file = File.OpenHandle(path, options: FileOptions.RandomAccess);
            return DiskFileFormats.Recognise(head.AsSpan(0, RandomAccess.Read(file, head, 0)));
        }
        // .NET asks for a shared flock with each open.
        catch (IOException e) when (e.HResult == Errno.EAGAIN)
        {
            throw DiskInUse.Refusal(path, null, "another program has locked it");
        }
    }

    /// <summary>Two writers on one file would mix two images.</summary>
    private static ImageFileDevice Alone(ImageFileDevice file)
    {
        if (file.TryLock())
            return file;
        file.Dispose();
        throw DiskInUse.Refusal(file.Name, null, "another program (a virtual machine, or another imageforge) has locked it");
    }

    private static NbdDevice OpenVirtual(string path, DiskFileFormat format, int sectorSize, bool readOnly)
    {
        DiskFileRefusals.Check(path, format);
        return QemuNbd.Open(path, format, CheckedSectorSize(sectorSize)!.Value, readOnly);
    }

    private static LinuxBlockDevice OpenDevice(string path)
    {
        try
        {
            return LinuxBlockDevice.OpenForWriting(path);
        }
        catch (DiskException e) when (e.Trouble == DiskTrouble.Busy)
        {
            throw DiskInUse.Refusal(path, e, DiskInUse.Find(path, writersOnly: false));
        }
    }

    /// <summary>A GPT tells by the place of its header: sector 1.</summary>
    internal static int GuessSectorSize(string path)
    {
        Span<byte> signature = stackalloc byte[8];
        using var file = File.OpenHandle(path, options: FileOptions.RandomAccess);
        return RandomAccess.Read(file, signature, 4096) == 8 && signature.SequenceEqual("EFI PART"u8)
            && RandomAccess.Read(file, signature, 512) == 8 && !signature.SequenceEqual("EFI PART"u8) ? 4096 : 512;
    }

    private static int? CheckedSectorSize(int? sectorSize) => sectorSize is null or 512 or 4096 ? sectorSize
        : throw new FailureException("sectorSizeUnsupported", Fault.Disk, $"Sectors of {sectorSize} bytes are not supported.", "Use --sector-size 512 or 4096.");

    private enum Kind { Nothing, Device, File }

    private static unsafe Kind KindOf(string path)
    {
        if (Directory.Exists(path))
            throw new FailureException("diskNotFound", Fault.Disk, $"{path} is a folder, not a disk.", "Name a block device (/dev/…) or a file; folders of other programs are taken by `images import`.");
        if (!File.Exists(path))
            return Kind.Nothing;
        // Only a block device knows its size; the name says nothing (/dev/shm/disk.img is a file, /dev/disk/by-id/… a link).
        using var file = new PosixFile(path, PosixFile.Open(path, LibC.O_RDONLY | LibC.O_NONBLOCK | LibC.O_CLOEXEC));
        ulong size = 0;
        return file.Ioctl(LibC.BLKGETSIZE64, &size) == 0 ? Kind.Device : Kind.File;
    }

    private static ImageFileDevice NotEmpty(ImageFileDevice file)
    {
        if (file.SizeBytes > 0)
            return file;
        file.Dispose();
        throw new FailureException("diskEmpty", Fault.Disk, $"{file.Name} holds not even one sector.", "Check the name; a new file is made with --size.");
    }

    private static FailureException NotFound(string path) => new("diskNotFound", Fault.Disk, $"There is no disk {path}.", "Check the name (lsblk lists disks); a new file needs --size.");
}
