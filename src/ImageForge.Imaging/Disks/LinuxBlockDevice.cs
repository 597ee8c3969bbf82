using System.Runtime.InteropServices;

namespace ImageForge.Imaging.Disks;

/// <summary>
/// A Linux block device, opened with <c>O_DIRECT</c> so that imaging neither fills the page cache nor reads from it.
/// Buffers from <see cref="AlignedBuffer"/> go straight to the disk; others are copied through one.
/// </summary>
public sealed class LinuxBlockDevice : IBlockDevice
{
    /// <summary>Zeroing goes in pieces of this many bytes, so that one system call never takes minutes.</summary>
    private const long ZeroPiece = 64L << 20;

    private const int BouncePiece = 1 << 20;

    private readonly PosixFile _file;

    private LinuxBlockDevice(string path, bool readOnly)
    {
        (Name, IsReadOnly) = (path, readOnly);
        var flags = (readOnly ? LibC.O_RDONLY : LibC.O_RDWR | LibC.O_EXCL) | LibC.O_DIRECT | LibC.O_CLOEXEC;
        _file = new PosixFile(path, PosixFile.Open(path, flags), Diagnose);
        try
        {
            SizeBytes = (long)AskSize();
            SectorSize = Ask(LibC.BLKSSZGET);
            if (SectorSize is not (512 or 1024 or 2048 or 4096))
                throw _file.Failed("open", 0, 0, $"it has sectors of {SectorSize} bytes, which are not supported");
            if (SizeBytes == 0)
                throw _file.Failed("open", 0, Errno.ENOMEDIUM);
            if (!readOnly && Ask(LibC.BLKROGET) != 0)
                throw _file.Failed("open", 0, Errno.EROFS);
        }
        catch
        {
            _file.Dispose();
            throw;
        }
    }

    public string Name { get; }
    public long SizeBytes { get; }
    public int SectorSize { get; }
    public bool IsReadOnly { get; }

    /// <summary>False once the kernel has said that this device knows no BLKZEROOUT; zeros are then written.</summary>
    internal bool CanZeroOut { get; set; } = true;

    /// <summary>Opens with O_RDONLY: the kernel itself refuses a write through this descriptor.</summary>
    /// <exception cref="DiskException">It cannot be opened.</exception>
    public static LinuxBlockDevice OpenForReading(string path) => new(path, readOnly: true);

    /// <summary>Opens with O_RDWR|O_EXCL: refused (<see cref="DiskTrouble.Busy"/>) while anything on the disk is mounted.</summary>
    /// <exception cref="DiskException">It cannot be opened, is in use or write-protected.</exception>
    public static LinuxBlockDevice OpenForWriting(string path) => new(path, readOnly: false);

    public void Read(long offset, Span<byte> buffer)
    {
        DiskRange.Check(this, "read", offset, buffer.Length);
        if (IsAligned(buffer))
        {
            _file.Read(offset, buffer);
            return;
        }
        using var bounce = AlignedBuffer.Rent(Math.Min(buffer.Length, BouncePiece));
        for (var done = 0; done < buffer.Length;)
        {
            var piece = bounce.Span[..Math.Min(bounce.Length, buffer.Length - done)];
            _file.Read(offset + done, piece);
            piece.CopyTo(buffer[done..]);
            done += piece.Length;
        }
    }

    public void Write(long offset, ReadOnlySpan<byte> data)
    {
        DiskRange.CheckWrite(this, "write", offset, data.Length);
        if (IsAligned(data))
        {
            _file.Write(offset, data);
            return;
        }
        using var bounce = AlignedBuffer.Rent(Math.Min(data.Length, BouncePiece));
        for (var done = 0; done < data.Length;)
        {
            var piece = bounce.Span[..Math.Min(bounce.Length, data.Length - done)];
            data.Slice(done, piece.Length).CopyTo(piece);
            _file.Write(offset + done, piece);
            done += piece.Length;
        }
    }

    public void WriteZeros(long offset, long length)
    {
        DiskRange.CheckWrite(this, "write", offset, length);
        for (long done = 0; done < length;)
        {
            var piece = Math.Min(ZeroPiece, length - done);
            if (!ZeroOut(offset + done, piece))
                WritePlainZeros(offset + done, piece);
            done += piece;
        }
    }

    public void Flush() => _file.Flush();

    /// <summary>
    /// Asks the kernel to read the partition table again (BLKRRPART); tries for <paramref name="patience"/> while it says busy:
    /// udev and friends hold new partitions open for a moment.
    /// </summary>
    public async ValueTask<PartitionRescan> RescanPartitionsAsync(TimeSpan patience, TimeProvider time, CancellationToken cancel)
    {
        var started = time.GetTimestamp();
        while (true)
        {
            var errno = Rescan();
            switch (errno)
            {
                case 0:
                    return PartitionRescan.Done;
                case Errno.EINVAL or Errno.ENOTTY or Errno.EOPNOTSUPP:
                    return PartitionRescan.NotSupported;
                case Errno.EBUSY when time.GetElapsedTime(started) < patience:
                    await Task.Delay(TimeSpan.FromMilliseconds(200), time, cancel).ConfigureAwait(false);
                    break;
                case Errno.EBUSY:
                    return PartitionRescan.StillBusy;
                default:
                    throw _file.Failed("re-read the partition table", 0, Diagnose(errno));
            }
        }
    }

    public void Dispose() => _file.Dispose();

    private unsafe int Rescan() => _file.Ioctl(LibC.BLKRRPART, null);

    private static unsafe bool IsAligned(ReadOnlySpan<byte> memory)
    {
        fixed (byte* start = memory)
            return ((nint)start & (AlignedBuffer.Alignment - 1)) == 0;
    }

    private unsafe bool ZeroOut(long offset, long length)
    {
        if (!CanZeroOut)
            return false;
        var range = stackalloc ulong[2] { (ulong)offset, (ulong)length };
        var errno = _file.Ioctl(LibC.BLKZEROOUT, range);
        if (errno == 0)
            return true;
        if (errno is not (Errno.EOPNOTSUPP or Errno.ENOTTY or Errno.EINVAL))
            throw _file.Failed("write zeros", offset, Diagnose(errno));
        CanZeroOut = false;
        return false;
    }

    private void WritePlainZeros(long offset, long length)
    {
        using var zeros = AlignedBuffer.Rent((int)Math.Min(length, BouncePiece));
        zeros.Span.Clear();
        for (long done = 0; done < length;)
        {
            var piece = (int)Math.Min(zeros.Length, length - done);
            _file.Write(offset + done, zeros.Span[..piece]);
            done += piece;
        }
    }

    /// <summary>
    /// A disk that is pulled out answers open descriptors with EIO on reads and ENOSPC on writes, or ends at byte 0: only its size
    /// and its node tell that from a bad sector.
    /// </summary>
    private unsafe int Diagnose(int errno)
    {
        if (errno is not (0 or Errno.EIO or Errno.ENOSPC))
            return errno;
        ulong size = 0;
        if (_file.Ioctl(LibC.BLKGETSIZE64, &size) != 0 || size == 0)
            return Errno.ENODEV;
        var handle = LibC.Open(Name, LibC.O_RDONLY | LibC.O_NONBLOCK | LibC.O_CLOEXEC, 0);
        var gone = handle.IsInvalid && Marshal.GetLastPInvokeError() is Errno.ENOENT or Errno.ENXIO or Errno.ENODEV or Errno.ENOMEDIUM;
        handle.Dispose();
        return gone ? Errno.ENODEV : errno == 0 ? Errno.EIO : errno;
    }

    private unsafe ulong AskSize()
    {
        ulong size = 0;
        var errno = _file.Ioctl(LibC.BLKGETSIZE64, &size);
        if (errno == Errno.ENOTTY)
            throw _file.Failed("open", 0, 0, "it is not a block device");
        return errno == 0 ? size : throw _file.Failed("open", 0, errno);
    }

    private unsafe int Ask(nuint request)
    {
        var value = 0;
        var errno = _file.Ioctl(request, &value);
        return errno == 0 ? value : throw _file.Failed("open", 0, errno);
    }
}

public enum PartitionRescan
{
    Done,

    /// <summary>Something still holds a partition: the new table is seen after the next boot.</summary>
    StillBusy,

    /// <summary>This device has no partitions (a loop device without <c>-P</c>).</summary>
    NotSupported,
}
