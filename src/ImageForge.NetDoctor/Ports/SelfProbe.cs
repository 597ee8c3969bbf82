using System.Net;
using System.Net.Sockets;

namespace ImageForge.NetDoctor.Ports;

internal enum SelfAnswer { Answers, Refuses, Silent }

/// <summary>Asks a service of this machine at the interface's own address. That way goes by the loopback device: a service that is bound to the interface does not hear it, and stays silent.</summary>
internal static class SelfProbe
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(1.5);

    /// <summary>A read request for a file that is not there (RFC 1350 §5): any TFTP server says so.</summary>
    private static readonly byte[] s_readRequest = [0, 1, .. "imageforge-doctor-asks-for-nothing"u8, 0, .. "octet"u8, 0];

    public static Task<SelfAnswer> TcpAsync(IPAddress own, int port, TimeProvider time, CancellationToken cancellationToken) =>
        WithinAsync(SocketType.Stream, ProtocolType.Tcp, (socket, cancel) => socket.ConnectAsync(new IPEndPoint(own, port), cancel), time, cancellationToken);

    public static Task<SelfAnswer> TftpAsync(IPAddress own, int port, TimeProvider time, CancellationToken cancellationToken) =>
        WithinAsync(SocketType.Dgram, ProtocolType.Udp, async (socket, cancel) =>
        {
            socket.Bind(new IPEndPoint(own, 0));
            await socket.SendToAsync(s_readRequest, SocketFlags.None, new IPEndPoint(own, port), cancel);
            // The answer comes from a port of its own.
            await socket.ReceiveFromAsync(new byte[600], new IPEndPoint(IPAddress.Any, 0), cancel);
        }, time, cancellationToken);

    private static async Task<SelfAnswer> WithinAsync(SocketType type, ProtocolType protocol, Func<Socket, CancellationToken, ValueTask> ask, TimeProvider time, CancellationToken cancellationToken)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, type, protocol);
        using var patience = new CancellationTokenSource(s_patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        try
        {
            await ask(socket, either.Token);
            return SelfAnswer.Answers;
        }
        catch (SocketException)
        {
            return SelfAnswer.Refuses;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return SelfAnswer.Silent;
        }
    }
}
