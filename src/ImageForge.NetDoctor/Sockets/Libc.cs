using System.Runtime.InteropServices;

namespace ImageForge.NetDoctor.Sockets;

/// <summary>Packet sockets and ioctls, which .NET does not offer. Every call returns -1 on failure; <see cref="Marshal.GetLastSystemError"/> read at once gives errno.</summary>
internal static unsafe partial class Libc
{
    public const int PacketFamily = 17, InternetFamily = 2, Datagram = 2, CloseOnExec = 0x80000;
    public const int SolSocket = 1, ReuseAddress = 2, ReceiveTimeout = 20, BindToDevice = 25, AttachFilter = 26, ReceiveBuffer = 8;
    public const int SolPacket = 263, AddMembership = 1, AllMulticast = 2;
    public const int NotPermitted = 1, Interrupted = 4, Again = 11, NoDevice = 19, NetworkDown = 100;

    [LibraryImport("libc", EntryPoint = "socket")]
    public static partial int Socket(int family, int type, int protocol);

    [LibraryImport("libc", EntryPoint = "bind")]
    public static partial int Bind(int fd, void* address, int length);

    [LibraryImport("libc", EntryPoint = "setsockopt")]
    public static partial int SetOption(int fd, int level, int name, void* value, int length);

    [LibraryImport("libc", EntryPoint = "recvfrom")]
    public static partial nint ReceiveFrom(int fd, byte* bytes, nint count, int flags, void* from, int* fromLength);

    [LibraryImport("libc", EntryPoint = "ioctl")]
    public static partial int Ioctl(int fd, nuint request, void* argument);

    [LibraryImport("libc", EntryPoint = "close")]
    public static partial int Close(int fd);
}
