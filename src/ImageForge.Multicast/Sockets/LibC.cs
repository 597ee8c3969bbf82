using System.Runtime.InteropServices;

namespace ImageForge.Multicast.Sockets;

/// <summary>The system calls and constants that .NET does not offer for datagrams. Calls set errno.</summary>
internal static unsafe partial class LibC
{
    // The full name: the static agent links it (DirectPInvoke in its project file).
    private const string Name = "libc.so.6";

    // asm-generic/socket.h, linux/udp.h, linux/in.h, linux/in6.h
    public const int SOL_SOCKET = 1, SO_SNDBUFFORCE = 32, SO_RCVBUFFORCE = 33, SO_MEMINFO = 55;
    public const int SOL_UDP = 17, UDP_SEGMENT = 103, UDP_GRO = 104;
    public const int SOL_IP = 0, IP_MULTICAST_ALL = 49, SOL_IPV6 = 41, IPV6_MULTICAST_ALL = 29;

    // linux/socket.h
    public const int MSG_WAITFORONE = 0x10000;

    // asm-generic/errno.h
    public const int EINTR = 4, EIO = 5, EAGAIN = 11, EINVAL = 22, EMSGSIZE = 90, ENOPROTOOPT = 92, ENETDOWN = 100;

    // linux/sock_diag.h: SK_MEMINFO_DROPS is the last of nine
    public const int MemoryInfoBytes = 36, MemoryInfoDrops = 32;

    [LibraryImport(Name, EntryPoint = "recvmmsg", SetLastError = true)]
    public static partial int ReceiveMany(SafeHandle socket, Message* messages, uint count, int flags, void* timeout);

    /// <summary><c>struct mmsghdr</c>.</summary>
    public struct Message
    {
        public Header Header;
        public uint Length;
    }

    /// <summary><c>struct msghdr</c> of 64-bit systems.</summary>
    public struct Header
    {
        public void* Name;
        public uint NameLength;
        public Vector* Vectors;
        public nuint VectorCount;
        public void* Control;
        public nuint ControlLength;
        public int Flags;
    }

    /// <summary><c>struct iovec</c>.</summary>
    public struct Vector
    {
        public byte* Base;
        public nuint Length;
    }
}
