using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using ImageForge.Multicast.Channels;

namespace ImageForge.MulticastPeer;

/// <summary>The product's channel over TLS, without the web server around it.</summary>
internal static class SecureChannel
{
    private static readonly WebSocketCreationOptions s_server = new() { IsServer = true }, s_client = new();

    public static X509Certificate2 MakeCertificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=multicast", key, HashAlgorithmName.SHA256);
        var now = TimeProvider.System.GetUtcNow();
        using var made = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        return X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pkcs12), null);
    }

    public static async Task<WebSocketChannel> AcceptAsync(Socket socket, X509Certificate2 certificate)
    {
        socket.NoDelay = true;
        var tls = new SslStream(new NetworkStream(socket, ownsSocket: true));
        await tls.AuthenticateAsServerAsync(certificate);
        return new WebSocketChannel(WebSocket.CreateFromStream(tls, s_server));
    }

    public static async Task<WebSocketChannel> ConnectAsync(IPEndPoint server, CancellationToken cancel)
    {
        var socket = new Socket(server.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(server, cancel);
        // The harness made both ends; the product pins the server's key.
        var tls = new SslStream(new NetworkStream(socket, ownsSocket: true), false, (_, certificate, _, _) => certificate?.Subject == "CN=multicast");
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "multicast" }, cancel);
        return new WebSocketChannel(WebSocket.CreateFromStream(tls, s_client));
    }
}
