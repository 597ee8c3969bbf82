using System.ComponentModel;
using System.Net;
using System.Runtime.InteropServices;
using System.Text;

namespace ImageForge.NetBoot.Sockets;

/// <summary>A non-blocking UDP socket that neither allocates nor throws on its hot path. One owner, no finalizer: dispose it.</summary>
internal sealed unsafe class UdpSocket : IDisposable
{
    /// <summary>What <see cref="Receive"/> returns when nothing is there.</summary>
    public const int Nothing = -1;

    public int Descriptor { get; }

    /// <param name="address">Local address; port 0 takes a free one.</param>
    /// <param name="device">Interface name, or empty.</param>
    /// <exception cref="Win32Exception">With errno, for example EMFILE.</exception>
    public UdpSocket(IPEndPoint address, string device)
    {
        Descriptor = Check(Libc.Socket(Libc.InternetFamily, Libc.Datagram | Libc.NonBlocking | Libc.CloseOnExec, 0));
        try
        {
            if (device.Length > 0)
            {
                var name = Encoding.ASCII.GetBytes(device);
                fixed (byte* bytes = name)
                    Check(Libc.SetOption(Descriptor, Libc.SolSocket, Libc.BindToDevice, bytes, name.Length));
            }
            var local = new InternetAddress(address);
            Check(Libc.Bind(Descriptor, &local, sizeof(InternetAddress)));
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>One datagram, cut at the buffer's length; <see cref="Nothing"/> when none is waiting.</summary>
    public int Receive(Span<byte> buffer, out InternetAddress from)
    {
        InternetAddress sender;
        var length = sizeof(InternetAddress);
        nint count;
        fixed (byte* bytes = buffer)
            count = Libc.ReceiveFrom(Descriptor, bytes, buffer.Length, 0, &sender, &length);
        from = sender;
        return count < 0 ? Nothing : (int)count;
    }

    /// <summary>False when the kernel did not take it (buffer full, no route, filtered): as good as lost on the way.</summary>
    public bool Send(ReadOnlySpan<byte> packet, InternetAddress to)
    {
        fixed (byte* bytes = packet)
            return Libc.SendTo(Descriptor, bytes, packet.Length, 0, &to, sizeof(InternetAddress)) >= 0;
    }

    private static int Check(int result) => result >= 0 ? result : throw new Win32Exception(Marshal.GetLastSystemError());

    public void Dispose() => _ = Libc.Close(Descriptor);
}
