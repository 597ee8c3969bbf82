using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace ImageForge.Multicast.Sockets;

/// <summary>Socket options that .NET has no name for.</summary>
internal static class RawOptions
{
    /// <exception cref="SocketException">The kernel refused.</exception>
    public static void Set(this Socket socket, int level, int option, int value) =>
        socket.SetRawSocketOption(level, option, MemoryMarshal.AsBytes(MemoryMarshal.CreateReadOnlySpan(ref value, 1)));

    /// <summary>False: the kernel does not have the option, or we may not use it.</summary>
    public static bool TrySet(this Socket socket, int level, int option, int value)
    {
        try
        {
            socket.Set(level, option, value);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
