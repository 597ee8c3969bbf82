using System.ComponentModel;
using System.Runtime.InteropServices;
using System.Text;

namespace ImageForge.NetDoctor.Tests.Namespaces;

/// <summary>A tap device in a namespace, held open: its carrier is on. Goes with Dispose.</summary>
internal sealed unsafe partial class TapCable : IDisposable
{
    private readonly int _fd;

    private TapCable(int fd) => _fd = fd;

    public static TapCable Open(string ns, string name)
    {
        var fd = -1;
        NamespaceThread.Run(ns, () =>
        {
            fd = Open("/dev/net/tun", 2);
            // struct ifreq: name 16, flags u16: IFF_TAP | IFF_NO_PI. TUNSETIFF.
            var request = stackalloc byte[40];
            new Span<byte>(request, 40).Clear();
            Encoding.ASCII.GetBytes(name, new Span<byte>(request, 15));
            *(ushort*)(request + 16) = 0x1002;
            if (fd < 0 || Ioctl(fd, 0x400454CA, request) != 0)
                throw new Win32Exception(Marshal.GetLastSystemError());
        });
        return new TapCable(fd);
    }

    public void Dispose() => _ = Close(_fd);

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "ioctl")]
    private static partial int Ioctl(int fd, nuint request, void* argument);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int fd);
}
