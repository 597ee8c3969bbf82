using System.Net.Sockets;

namespace ImageForge.Multicast.Sockets;

/// <summary>How much this machine lets wait in a socket, found out before there is a group to listen to.</summary>
internal static class SocketRoom
{
    /// <summary>What the kernel reckons for a packet of 1,500 bytes at most, whatever the network card's buffers are.</summary>
    private const int PacketCost = 4096;

    /// <summary>Packets that wait without loss in a socket for which so many bytes are asked.</summary>
    public static int Packets(int bufferBytes)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        if (!socket.TrySet(LibC.SOL_SOCKET, LibC.SO_RCVBUFFORCE, bufferBytes))
            socket.ReceiveBufferSize = bufferBytes;
        return socket.ReceiveBufferSize / PacketCost;
    }
}
