using System.Net;
using ImageForge.NetBoot.Sockets;

namespace ImageForge.NetBoot.Tftp;

/// <summary>A transfer, its socket and its client. The socket is not connected: a packet from a stranger must be seen to be answered with error 5.</summary>
internal sealed class TftpSession(string path, IPEndPoint client, InternetAddress peer, UdpSocket socket, TftpCounters counters, long began) : ITftpWire, IDisposable
{
    public string Path => path;
    public IPEndPoint Client => client;
    public InternetAddress Peer => peer;
    public UdpSocket Socket => socket;
    public long Began => began;
    public TftpTransfer Transfer { get; set; } = null!;

    /// <summary>Place and generation in <see cref="TftpSessions"/>.</summary>
    public ulong Key { get; set; }

    public void Send(ReadOnlySpan<byte> packet)
    {
        if (!socket.Send(packet, peer))
            counters.Record(TftpIgnoreReason.SendFailed);
    }

    public void Dispose()
    {
        Transfer?.Dispose();
        // Closing takes it out of epoll.
        socket.Dispose();
    }
}
