using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace ImageForge.Lab.Networks;

/// <summary>Sockets that live in another network namespace while the rest of this process stays in its own.</summary>
public static partial class NamespaceSockets
{
    private const int CloneNewNet = 0x40000000;

    /// <summary>
    /// A socket belongs for ever to the namespace its creating thread was in; setns(2) is per thread. So a thread of
    /// its own enters the namespace, makes the socket and ends, and no other code ever runs there.
    /// </summary>
    public static Socket Create(string ns, SocketType type, ProtocolType protocol) =>
        Create(ns, () => new Socket(AddressFamily.InterNetwork, type, protocol));

    /// <summary>As above, for anything that makes its sockets when it is made.</summary>
    public static T Create<T>(string ns, Func<T> make)
        where T : class
    {
        T? made = null;
        Exception? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                using var handle = File.OpenHandle($"/run/netns/{ns}");
                if (SetNamespace((int)handle.DangerousGetHandle(), CloneNewNet) != 0)
                    throw new LabException($"setns to {ns} failed with error {Marshal.GetLastPInvokeError()}; the lab needs root");
                made = make();
            }
            catch (Exception e)
            {
                failure = e;
            }
        });
        thread.Start();
        thread.Join();
        return made ?? throw new LabException($"no socket in namespace {ns}", failure);
    }

    /// <summary>
    /// An HTTP handler whose connections start inside the namespace. The server makes its own certificate at its first
    /// start, so the first key seen is trusted and any other is refused: a restart must keep it.
    /// </summary>
    public static SocketsHttpHandler Handler(string ns)
    {
        string? key = null;
        return new()
        {
            ConnectCallback = (context, cancel) => ConnectAsync(ns, context.DnsEndPoint, cancel),
            SslOptions = { RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate?.GetPublicKeyString() == (key ??= certificate?.GetPublicKeyString()) },
            // A server that was killed and started again must not be met on a dead connection.
            PooledConnectionLifetime = TimeSpan.FromSeconds(20),
            CookieContainer = new CookieContainer(),
            AllowAutoRedirect = false,
        };
    }

    private static async ValueTask<Stream> ConnectAsync(string ns, DnsEndPoint server, CancellationToken cancel)
    {
        var socket = Create(ns, SocketType.Stream, ProtocolType.Tcp);
        socket.NoDelay = true;
        try
        {
            await socket.ConnectAsync(IPAddress.Parse(server.Host), server.Port, cancel);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    [LibraryImport("libc", EntryPoint = "setns", SetLastError = true)]
    private static partial int SetNamespace(int descriptor, int kind);
}
