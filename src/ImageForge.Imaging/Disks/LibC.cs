using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace ImageForge.Imaging.Disks;

/// <summary>The few system calls that .NET does not offer for block devices. All set errno.</summary>
internal static unsafe partial class LibC
{
    // The full name: an initramfs has no development symlink and no linker to follow one.
    private const string Name = "libc.so.6";

    // asm-generic/fcntl.h; O_DIRECT differs on arm64 (arch/arm64/include/uapi/asm/fcntl.h).
    public const int O_RDONLY = 0, O_RDWR = 2, O_CREAT = 0x40, O_EXCL = 0x80, O_NONBLOCK = 0x800, O_CLOEXEC = 0x80000;
    public static readonly int O_DIRECT = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 0x10000 : 0x4000;

    // linux/fs.h. The request is an unsigned long: as int the size bit of BLKGETSIZE64 would be sign-extended.
    public const nuint BLKROGET = 0x125E, BLKRRPART = 0x125F, BLKSSZGET = 0x1268, BLKZEROOUT = 0x127F, BLKGETSIZE64 = 0x80081272;

    // linux/falloc.h
    public const int FALLOC_FL_KEEP_SIZE = 1, FALLOC_FL_PUNCH_HOLE = 2;

    // linux/stat.h, linux/fcntl.h, asm-generic/fcntl.h
    public const uint STATX_BASIC_STATS = 0x7FF;
    public const int AT_FDCWD = -100, F_OFD_GETLK = 36, LOCK_EX = 2, LOCK_NB = 4;
    public const short F_WRLCK = 1, F_UNLCK = 2;

    [LibraryImport(Name, EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial SafeFileHandle Open(string path, int flags, uint mode);

    [LibraryImport(Name, EntryPoint = "pread64", SetLastError = true)]
    public static partial nint Pread(SafeFileHandle file, byte* buffer, nuint count, long offset);

    [LibraryImport(Name, EntryPoint = "pwrite64", SetLastError = true)]
    public static partial nint Pwrite(SafeFileHandle file, byte* buffer, nuint count, long offset);

    [LibraryImport(Name, EntryPoint = "fsync", SetLastError = true)]
    public static partial int Fsync(SafeFileHandle file);

    [LibraryImport(Name, EntryPoint = "ftruncate64", SetLastError = true)]
    public static partial int Truncate(SafeFileHandle file, long length);

    [LibraryImport(Name, EntryPoint = "fallocate64", SetLastError = true)]
    public static partial int Fallocate(SafeFileHandle file, int mode, long offset, long length);

    [LibraryImport(Name, EntryPoint = "lseek64", SetLastError = true)]
    public static partial long Seek(SafeFileHandle file, long offset, int whence);

    [LibraryImport(Name, EntryPoint = "ioctl", SetLastError = true)]
    public static partial int Ioctl(SafeFileHandle file, nuint request, void* argument);

    [LibraryImport(Name, EntryPoint = "flock", SetLastError = true)]
    public static partial int Lock(SafeFileHandle file, int operation);

    [LibraryImport(Name, EntryPoint = "fcntl64", SetLastError = true)]
    public static partial int Fcntl(SafeFileHandle file, int command, FileLock* argument);

    [LibraryImport(Name, EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Statx(int folder, string path, int flags, uint mask, byte* stat);

    /// <summary><c>struct flock</c> of 64-bit systems; <see cref="Length"/> 0 reaches to the end.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct FileLock
    {
        public short Type, Whence;
        public long Start, Length;
        public int Process;
    }
}
