using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using ImageForge.Contracts;

namespace ImageForge.Agent.Server;

/// <summary>
/// Makes connections to exactly one server: the one whose public key the boot script named. Names, dates and issuers of the
/// certificate say nothing here: it is self-signed, and the clock of a machine with a flat battery is years off.
/// </summary>
internal static class PinnedHandler
{
    /// <summary>TCP and TLS together; TLS takes seconds on an emulated machine.</summary>
    private static readonly TimeSpan s_connectTimeout = TimeSpan.FromSeconds(15);

    public static SocketsHttpHandler Create(IPEndPoint server, byte[] pin) => new()
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        UseProxy = false,
        AutomaticDecompression = DecompressionMethods.None,
        ConnectTimeout = s_connectTimeout,
        MaxConnectionsPerServer = 16,
        PooledConnectionIdleTimeout = TimeSpan.FromMinutes(1),
        ActivityHeadersPropagator = null,
        // The address of the boot script, whatever a URL may say: the live system has no resolver.
        ConnectCallback = async (_, cancel) =>
        {
            var socket = new Socket(server.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
                socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, 10);
                socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, 5);
                socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, 3);
                await socket.ConnectAsync(server, cancel);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        },
        SslOptions = new SslClientAuthenticationOptions
        {
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            TargetHost = server.Address.ToString(),
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
            // Keeps the chain builder, which runs before the callback, from looking for roots or downloading issuers.
            CertificateChainPolicy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                RevocationMode = X509RevocationMode.NoCheck,
                DisableCertificateDownloads = true,
            },
            RemoteCertificateValidationCallback = (_, certificate, _, _) => IsPinned(certificate, pin)
                ? true
                : throw new FailureException(OtherServer(server, certificate, pin)),
        },
    };

    private static bool IsPinned(X509Certificate? certificate, byte[] pin) =>
        certificate is not null && CryptographicOperations.FixedTimeEquals(Fingerprint(certificate), pin);

    private static byte[] Fingerprint(X509Certificate certificate)
    {
        using var copy = new X509Certificate2(certificate);
        return SHA256.HashData(copy.PublicKey.ExportSubjectPublicKeyInfo());
    }

    private static Failure OtherServer(IPEndPoint server, X509Certificate? certificate, byte[] pin) => new(
        "serverKeyMismatch", Fault.Server,
        $"What answers at {server} is not the server that started this machine: its key is "
            + $"{(certificate is null ? "absent" : Short(Fingerprint(certificate)))}, expected {Short(pin)}.",
        "Start the machine again if the server was just set up anew; otherwise find out which device has taken the server's address.");

    private static string Short(byte[] hash) => Convert.ToHexStringLower(hash.AsSpan(0, 8)) + "…";
}
