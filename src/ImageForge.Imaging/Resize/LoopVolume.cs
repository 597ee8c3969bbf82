using System.Buffers.Binary;
using System.Globalization;
using ImageForge.Imaging.Disks;

namespace ImageForge.Imaging.Resize;

/// <summary>
/// A part of a disk or image file as a block device of its own, through the kernel's loop driver (linux/loop.h): so tools can work on a
/// volume before any partition table leads to it. Detaches itself when the last user is gone, also after a crash.
/// </summary>
internal sealed unsafe class LoopVolume : IDisposable
{
    private const nuint LOOP_CTL_GET_FREE = 0x4C82, LOOP_CONFIGURE = 0x4C0A, LOOP_CLR_FD = 0x4C01;
    private const int LO_FLAGS_AUTOCLEAR = 4, ConfigBytes = 304, BlockSizeAt = 4, OffsetAt = 32, SizeLimitAt = 40, FlagsAt = 60;
    private const int Attempts = 20;

    private readonly PosixFile _loop;

    private LoopVolume(string node, PosixFile loop) => (Node, _loop) = (node, loop);

    /// <summary>As <c>/dev/loop3</c>.</summary>
    public string Node { get; }

    /// <exception cref="DiskException">There is no loop driver, or it refuses.</exception>
    public static LoopVolume Attach(string path, long offset, long length, int sectorSize)
    {
        if (!File.Exists("/dev/loop-control"))
            ToolRun.Of("modprobe", CancellationToken.None, "loop");
        using var control = new PosixFile("/dev/loop-control", PosixFile.Open("/dev/loop-control", LibC.O_RDWR | LibC.O_CLOEXEC));
        using var backing = new PosixFile(path, PosixFile.Open(path, LibC.O_RDWR | LibC.O_CLOEXEC));
        for (var attempt = 1; ; attempt++)
        {
            var number = LibC.Ioctl(control.Handle, LOOP_CTL_GET_FREE, null);
            if (number < 0)
                throw control.Failed("find a free loop device", 0, System.Runtime.InteropServices.Marshal.GetLastPInvokeError());
            var node = string.Create(CultureInfo.InvariantCulture, $"/dev/loop{number}");
            var loop = new PosixFile(node, PosixFile.Open(node, LibC.O_RDWR | LibC.O_CLOEXEC));
            var errno = Configure(loop, backing, offset, length, sectorSize);
            if (errno == 0)
                return new LoopVolume(node, loop);
            loop.Dispose();
            // Another program took the same one in between.
            if (errno != Errno.EBUSY || attempt == Attempts)
                throw loop.Failed("attach", offset, errno);
        }
    }

    /// <summary>Everything the tools wrote is durable and seen by others who read the disk.</summary>
    public void Flush() => _loop.Flush();

    public void Dispose()
    {
        _loop.Ioctl(LOOP_CLR_FD, null);
        _loop.Dispose();
    }

    private static int Configure(PosixFile loop, PosixFile backing, long offset, long length, int sectorSize)
    {
        var config = stackalloc byte[ConfigBytes];
        var span = new Span<byte>(config, ConfigBytes);
        span.Clear();
        BinaryPrimitives.WriteInt32LittleEndian(span, (int)backing.Handle.DangerousGetHandle());
        BinaryPrimitives.WriteInt32LittleEndian(span[BlockSizeAt..], sectorSize);
        BinaryPrimitives.WriteInt64LittleEndian(span[OffsetAt..], offset);
        BinaryPrimitives.WriteInt64LittleEndian(span[SizeLimitAt..], length);
        BinaryPrimitives.WriteInt32LittleEndian(span[FlagsAt..], LO_FLAGS_AUTOCLEAR);
        return loop.Ioctl(LOOP_CONFIGURE, config);
    }
}
