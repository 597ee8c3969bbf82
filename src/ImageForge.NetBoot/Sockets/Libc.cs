using System.Runtime.InteropServices;

namespace ImageForge.NetBoot.Sockets;

/// <summary>
/// The Linux calls that .NET does not offer, or not without an exception per "nothing there yet".
/// Every one returns -1 on failure; <see cref="Marshal.GetLastSystemError"/> read at once gives errno.
/// </summary>
internal static unsafe partial class Libc
{
    public const int EpollIn = 1, EpollAdd = 1, EpollDelete = 2, CloseOnExec = 0x80000;
    public const int InternetFamily = 2, Datagram = 2, NonBlocking = 0x800;
    public const int SolSocket = 1, BindToDevice = 25;
    public const int Interrupted = 4, Again = 11, NoEntry = 2, NotDirectory = 20, CrossDevice = 18, TooManyLinks = 40, NoSystemCall = 38, NotPermitted = 1;

    [LibraryImport("libc", EntryPoint = "epoll_create1")]
    public static partial int EpollCreate(int flags);

    [LibraryImport("libc", EntryPoint = "epoll_ctl")]
    public static partial int EpollControl(int epoll, int operation, int fd, byte* @event);

    [LibraryImport("libc", EntryPoint = "epoll_wait")]
    public static partial int EpollWait(int epoll, byte* events, int count, int milliseconds);

    [LibraryImport("libc", EntryPoint = "eventfd")]
    public static partial int EventDescriptor(uint value, int flags);

    [LibraryImport("libc", EntryPoint = "write")]
    public static partial nint Write(int fd, void* bytes, nint count);

    [LibraryImport("libc", EntryPoint = "close")]
    public static partial int Close(int fd);

    [LibraryImport("libc", EntryPoint = "socket")]
    public static partial int Socket(int family, int type, int protocol);

    [LibraryImport("libc", EntryPoint = "bind")]
    public static partial int Bind(int fd, InternetAddress* address, int length);

    [LibraryImport("libc", EntryPoint = "setsockopt")]
    public static partial int SetOption(int fd, int level, int name, void* value, int length);

    [LibraryImport("libc", EntryPoint = "recvfrom")]
    public static partial nint ReceiveFrom(int fd, byte* bytes, nint count, int flags, InternetAddress* from, int* fromLength);

    [LibraryImport("libc", EntryPoint = "sendto")]
    public static partial nint SendTo(int fd, byte* bytes, nint count, int flags, InternetAddress* to, int toLength);

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "openat", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int OpenAt(int folder, string path, int flags);

    /// <summary>openat2(2); glibc has no wrapper for it.</summary>
    [LibraryImport("libc", EntryPoint = "syscall", StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint OpenAt2(nint number, nint folder, string path, OpenHow* how, nint size);

    /// <summary>statx(2): unlike stat, its structure is the same on every architecture.</summary>
    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int StatX(int folder, string path, int flags, uint mask, byte* buffer);
}

/// <summary>struct open_how of openat2(2).</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct OpenHow
{
    public ulong Flags;
    public ulong Mode;
    public ulong Resolve;
}
