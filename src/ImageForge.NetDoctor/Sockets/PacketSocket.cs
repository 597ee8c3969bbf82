using System.Buffers.Binary;
using System.ComponentModel;
using System.Runtime.InteropServices;
using ImageForge.Contracts;

namespace ImageForge.NetDoctor.Sockets;

/// <summary>
/// Sees what passes one interface, in and out, before the kernel's own rules (packet(7), SOCK_DGRAM: from the network header on).
/// struct sockaddr_ll: family u16, protocol u16 big-endian, index i32, hardware type u16, packet type u8, length u8, address 8.
/// </summary>
internal sealed unsafe class PacketSocket : IDisposable
{
    private const int AddressLength = 20, EveryProtocol = 0x0300;

    private readonly int _fd;

    /// <param name="filter">See <see cref="PacketFilter"/>.</param>
    /// <exception cref="Win32Exception">EPERM without CAP_NET_RAW.</exception>
    public PacketSocket(int interfaceIndex, FilterStep[] filter)
    {
        _fd = Check(Libc.Socket(Libc.PacketFamily, Libc.Datagram | Libc.CloseOnExec, 0));
        try
        {
            fixed (FilterStep* steps = filter)
            {
                var program = stackalloc byte[16];
                *(ushort*)program = (ushort)filter.Length;
                *(FilterStep**)(program + 8) = steps;
                Check(Libc.SetOption(_fd, Libc.SolSocket, Libc.AttachFilter, program, 16));
            }
            // { seconds, microseconds }: the thread looks now and then whether it should end.
            var patience = stackalloc long[2] { 0, 100_000 };
            Check(Libc.SetOption(_fd, Libc.SolSocket, Libc.ReceiveTimeout, patience, 16));
            // Groups that nobody joined are to be seen, too: whether a switch keeps them away is the question.
            var all = stackalloc byte[16];
            *(int*)all = interfaceIndex;
            *(ushort*)(all + 4) = Libc.AllMulticast;
            Check(Libc.SetOption(_fd, Libc.SolPacket, Libc.AddMembership, all, 16));
            var local = stackalloc byte[AddressLength];
            *(ushort*)local = Libc.PacketFamily;
            *(ushort*)(local + 2) = EveryProtocol;
            *(int*)(local + 4) = interfaceIndex;
            Check(Libc.Bind(_fd, local, AddressLength));
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>One packet, cut at the buffer's length; false: none within 0.1 s.</summary>
    /// <exception cref="Win32Exception">The interface went away.</exception>
    public bool TryReceive(byte[] buffer, out HeardFrame frame)
    {
        var from = stackalloc byte[AddressLength];
        var length = AddressLength;
        nint count;
        fixed (byte* bytes = buffer)
            count = Libc.ReceiveFrom(_fd, bytes, buffer.Length, 0, from, &length);
        if (count < 0)
        {
            frame = default;
            var error = Marshal.GetLastSystemError();
            // A link that goes down and comes back is worth waiting for.
            return error is Libc.Again or Libc.Interrupted or Libc.NetworkDown ? false : throw new Win32Exception(error);
        }
        var hasMac = length >= AddressLength && from[11] == 6;
        frame = new HeardFrame(
            BinaryPrimitives.ReverseEndianness(*(ushort*)(from + 2)), (HeardAs)from[10],
            hasMac ? new MacAddress(new ReadOnlySpan<byte>(from + 12, 6)) : null, buffer.AsMemory(0, (int)count));
        return true;
    }

    public void Dispose() => _ = Libc.Close(_fd);

    private static int Check(int result) => result >= 0 ? result : throw new Win32Exception(Marshal.GetLastSystemError());
}

/// <summary>linux/if_packet.h.</summary>
internal enum HeardAs : byte { Us = 0, Broadcast = 1, Multicast = 2, OtherHost = 3, Outgoing = 4 }

/// <param name="Packet">From the network header on; valid until the next packet.</param>
internal readonly record struct HeardFrame(ushort EtherType, HeardAs As, MacAddress? Source, ReadOnlyMemory<byte> Packet);
