using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace ImageForge.Imaging.Disks;

/// <summary>An open descriptor: whole reads and writes, interrupted calls repeated, errno turned into <see cref="DiskException"/>.</summary>
/// <param name="diagnose">Refines an error number: a vanished disk first answers EIO.</param>
internal sealed unsafe class PosixFile(string name, SafeFileHandle handle, Func<int, int>? diagnose = null) : IDisposable
{
    public SafeFileHandle Handle { get; } = handle;

    public static SafeFileHandle Open(string path, int flags, uint mode = 0)
    {
        while (true)
        {
            var handle = LibC.Open(path, flags, mode);
            if (!handle.IsInvalid)
                return handle;
            var errno = Marshal.GetLastPInvokeError();
            handle.Dispose();
            if (errno != Errno.EINTR)
                throw new DiskException(path, "open", 0, errno, Errno.Text(errno));
        }
    }

    public void Read(long offset, Span<byte> buffer)
    {
        fixed (byte* start = buffer)
        {
            for (var done = 0; done < buffer.Length;)
            {
                var count = LibC.Pread(Handle, start + done, (nuint)(buffer.Length - done), offset + done);
                if (count > 0)
                    done += (int)count;
                else if (count == 0)
                    // The end was checked against the size at open: who ends earlier now has shrunk or gone.
                    throw Failed("read", offset + done, diagnose?.Invoke(0) ?? 0, "it ended early");
                else if (Marshal.GetLastPInvokeError() is var errno && errno != Errno.EINTR)
                    throw Failed("read", offset + done, diagnose?.Invoke(errno) ?? errno);
            }
        }
    }

    public void Write(long offset, ReadOnlySpan<byte> data)
    {
        fixed (byte* start = data)
        {
            for (var done = 0; done < data.Length;)
            {
                var count = LibC.Pwrite(Handle, start + done, (nuint)(data.Length - done), offset + done);
                if (count > 0)
                    done += (int)count;
                else if (count == 0)
                    throw Failed("write", offset + done, diagnose?.Invoke(0) ?? 0, "it took no more bytes");
                else if (Marshal.GetLastPInvokeError() is var errno && errno != Errno.EINTR)
                    throw Failed("write", offset + done, diagnose?.Invoke(errno) ?? errno);
            }
        }
    }

    public void Flush()
    {
        while (LibC.Fsync(Handle) != 0)
            if (Marshal.GetLastPInvokeError() is var errno && errno != Errno.EINTR)
                throw Failed("flush", 0, diagnose?.Invoke(errno) ?? errno);
    }

    /// <returns>0, or the error number.</returns>
    public int Ioctl(nuint request, void* argument)
    {
        while (LibC.Ioctl(Handle, request, argument) < 0)
            if (Marshal.GetLastPInvokeError() is var errno && errno != Errno.EINTR)
                return errno;
        return 0;
    }

    public DiskException Failed(string operation, long offset, int errno, string? text = null) =>
        new(name, operation, offset, errno, errno == 0 && text is not null ? text : Errno.Text(errno));

    public void Dispose() => Handle.Dispose();
}
