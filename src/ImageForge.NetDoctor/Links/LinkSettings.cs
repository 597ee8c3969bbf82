using System.Text;
using ImageForge.NetDoctor.Sockets;

namespace ImageForge.NetDoctor.Links;

/// <summary>Asks the driver (SIOCETHTOOL). struct ifreq: name 16 bytes, then the pointer to the command; 40 bytes in all.</summary>
internal static unsafe class LinkSettings
{
    private const nuint AskDriver = 0x8946;
    private const uint GetLinkSettings = 0x4C;
    private const int LongestMask = 64;

    /// <summary>Null: the driver does not answer (a bridge without ports, a tunnel).</summary>
    public static LinkModes? Read(string interfaceName)
    {
        var fd = Libc.Socket(Libc.InternetFamily, Libc.Datagram | Libc.CloseOnExec, 0);
        if (fd < 0 || interfaceName.Length > 15)
            return null;
        try
        {
            Span<byte> answer = stackalloc byte[LinkModes.HeaderLength + LongestMask * 12];
            answer.Clear();
            // First asked with no masks, the kernel says their length as a negative number; then once more with it.
            for (var attempt = 0; attempt < 2; attempt++)
            {
                var words = (sbyte)answer[15];
                answer.Clear();
                BitConverter.TryWriteBytes(answer, GetLinkSettings);
                answer[15] = (byte)(words < 0 ? -words : 0);
                if (answer[15] > LongestMask || !Ask(fd, interfaceName, answer))
                    return null;
            }
            return LinkModes.Parse(answer);
        }
        finally
        {
            _ = Libc.Close(fd);
        }
    }

    private static bool Ask(int fd, string name, Span<byte> command)
    {
        var request = stackalloc byte[40];
        new Span<byte>(request, 40).Clear();
        Encoding.ASCII.GetBytes(name, new Span<byte>(request, 15));
        fixed (byte* pointer = command)
        {
            *(byte**)(request + 16) = pointer;
            return Libc.Ioctl(fd, AskDriver, request) == 0;
        }
    }
}
