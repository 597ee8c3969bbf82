using System.Runtime.InteropServices;

namespace ImageForge.Imaging.Disks;

/// <summary>A regular file used as a disk. Zeros become holes, so a restored disk takes no more room than its content.</summary>
public sealed class ImageFileDevice : IBlockDevice
{
    /// <summary>Holes are looked for in pieces of this many bytes: the block size of nearly every file system.</summary>
    private const int HoleGrain = 4096;

    private const int SEEK_END = 2;

    private readonly PosixFile _file;
    private bool _canPunch = true;

    private ImageFileDevice(string path, PosixFile file, long size, int sectorSize, bool readOnly)
    {
        (Name, _file, SectorSize, IsReadOnly) = (path, file, sectorSize, readOnly);
        SizeBytes = size - size % sectorSize;
    }

    public string Name { get; }

    /// <summary>The file's length, rounded down to whole sectors.</summary>
    public long SizeBytes { get; }

    public int SectorSize { get; }
    public bool IsReadOnly { get; }

    /// <summary>Makes a new sparse file of that many zeros, readable by its owner only; an existing one is an error.</summary>
    /// <exception cref="DiskException">It cannot be made.</exception>
    public static ImageFileDevice Create(string path, long sizeBytes, int sectorSize = 512)
    {
        var file = new PosixFile(path, PosixFile.Open(path, LibC.O_RDWR | LibC.O_CREAT | LibC.O_EXCL | LibC.O_CLOEXEC, 0x180 /* 0600 */));
        if (LibC.Truncate(file.Handle, sizeBytes) == 0)
            return new ImageFileDevice(path, file, sizeBytes, sectorSize, readOnly: false);
        var errno = Marshal.GetLastPInvokeError();
        file.Dispose();
        throw new DiskException(path, "create", 0, errno, Errno.Text(errno));
    }

    /// <exception cref="DiskException">It cannot be opened.</exception>
    public static ImageFileDevice OpenForReading(string path, int sectorSize = 512) => Open(path, sectorSize, readOnly: true);

    /// <exception cref="DiskException">It cannot be opened.</exception>
    public static ImageFileDevice OpenForWriting(string path, int sectorSize = 512) => Open(path, sectorSize, readOnly: false);

    public void Read(long offset, Span<byte> buffer)
    {
        DiskRange.Check(this, "read", offset, buffer.Length);
        _file.Read(offset, buffer);
    }

    public void Write(long offset, ReadOnlySpan<byte> data)
    {
        DiskRange.CheckWrite(this, "write", offset, data.Length);
        while (data.Length > 0)
        {
            var (length, zero) = NextRun(offset, data);
            if (!zero || !Punch(offset, length))
                _file.Write(offset, data[..length]);
            data = data[length..];
            offset += length;
        }
    }

    public void WriteZeros(long offset, long length)
    {
        DiskRange.CheckWrite(this, "write", offset, length);
        if (length == 0 || Punch(offset, length))
            return;
        Span<byte> zeros = new byte[Math.Min(length, 1 << 20)];
        for (long done = 0; done < length; done += Math.Min(zeros.Length, length - done))
            _file.Write(offset + done, zeros[..(int)Math.Min(zeros.Length, length - done)]);
    }

    public void Flush() => _file.Flush();

    /// <summary>
    /// Keeps others out while this is open: those that ask for <c>flock</c>, as this program does. QEMU holds <c>fcntl</c> locks on bytes
    /// of its disks (block/file-posix.c), which are only looked for. File systems without locks let everybody in.
    /// </summary>
    /// <returns>False if another program has locked the file.</returns>
    public unsafe bool TryLock()
    {
        var other = new LibC.FileLock { Type = LibC.F_WRLCK };
        if (LibC.Fcntl(_file.Handle, LibC.F_OFD_GETLK, &other) == 0 && other.Type != LibC.F_UNLCK)
            return false;
        return LibC.Lock(_file.Handle, LibC.LOCK_EX | LibC.LOCK_NB) == 0 || Marshal.GetLastPInvokeError() != Errno.EAGAIN;
    }

    public void Dispose() => _file.Dispose();

    private static ImageFileDevice Open(string path, int sectorSize, bool readOnly)
    {
        var file = new PosixFile(path, PosixFile.Open(path, (readOnly ? LibC.O_RDONLY : LibC.O_RDWR) | LibC.O_CLOEXEC));
        var size = LibC.Seek(file.Handle, 0, SEEK_END);
        if (size >= 0)
            return new ImageFileDevice(path, file, size, sectorSize, readOnly);
        var errno = Marshal.GetLastPInvokeError();
        file.Dispose();
        throw new DiskException(path, "open", 0, errno, Errno.Text(errno));
    }

    /// <summary>The longest start of <paramref name="data"/> that is, in whole grains, only zeros or only grains with content.</summary>
    private static (int Length, bool Zero) NextRun(long offset, ReadOnlySpan<byte> data)
    {
        var length = 0;
        var zero = false;
        while (length < data.Length)
        {
            var grain = (int)Math.Min(HoleGrain - (offset + length) % HoleGrain, data.Length - length);
            var grainIsZero = grain == HoleGrain && !data.Slice(length, grain).ContainsAnyExcept((byte)0);
            if (length > 0 && grainIsZero != zero)
                break;
            zero = grainIsZero;
            length += grain;
        }
        return (length, zero);
    }

    private bool Punch(long offset, long length)
    {
        if (!_canPunch)
            return false;
        while (LibC.Fallocate(_file.Handle, LibC.FALLOC_FL_PUNCH_HOLE | LibC.FALLOC_FL_KEEP_SIZE, offset, length) != 0)
        {
            var errno = Marshal.GetLastPInvokeError();
            if (errno == Errno.EINTR)
                continue;
            if (errno != Errno.EOPNOTSUPP)
                throw _file.Failed("write zeros", offset, errno);
            return _canPunch = false;
        }
        return true;
    }
}
