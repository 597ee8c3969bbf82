using System.Net;
using System.Net.Http.Headers;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text;
using ImageForge.Contracts;

namespace ImageForge.Agent.Server;

/// <summary>
/// The upgrade of RFC 6455 §4.1 over the same pinned connections, by hand: the framework's client throws away what a server says when it
/// refuses, and that sentence belongs on the machine's screen.
/// </summary>
internal sealed partial class ServerConnection
{
    private const string AcceptSuffix = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

    /// <summary>A server that has gone without a word is noticed after so long.</summary>
    private static readonly TimeSpan s_pingEvery = TimeSpan.FromSeconds(5), s_pongWithin = TimeSpan.FromSeconds(10), s_openWithin = TimeSpan.FromSeconds(15);

    /// <summary>One attempt. A server that says why it cannot now is taken at its word.</summary>
    /// <exception cref="ServerAwayException">The server did not answer.</exception>
    /// <exception cref="FailureException">It refused.</exception>
    public async Task<WebSocket> OpenWebSocketAsync(string path, CancellationToken cancel)
    {
        try
        {
            return await AttemptAsync(either => OpenOnceAsync(path, either), s_openWithin, cancel);
        }
        catch (ServerAwayException e) when (e.Reason is { } reason)
        {
            throw new FailureException(reason, e);
        }
    }

    /// <summary>The last answer came after the last loss, whoever asked.</summary>
    public bool ServerAnswers => reach.Away is null;

    /// <summary>How long a server that does not answer is waited for.</summary>
    public TimeSpan Patience => patience;

    private async Task<WebSocket> OpenOnceAsync(string path, CancellationToken cancel)
    {
        var key = Convert.ToBase64String(RandomNumberGenerator.GetBytes(16));
        using var request = Request(HttpMethod.Get, path);
        (request.Version, request.VersionPolicy) = (HttpVersion.Version11, HttpVersionPolicy.RequestVersionExact);
        request.Headers.Connection.Add("Upgrade");
        request.Headers.Upgrade.Add(new ProductHeaderValue("websocket"));
        request.Headers.TryAddWithoutValidation("Sec-WebSocket-Version", "13");
        request.Headers.TryAddWithoutValidation("Sec-WebSocket-Key", key);
        var response = await http.SendAsync(request, cancel);
        try
        {
            if (response.StatusCode != HttpStatusCode.SwitchingProtocols)
                throw await RefusalAsync(response, path, cancel);
            if (!response.Headers.TryGetValues("Sec-WebSocket-Accept", out var accept) || accept.FirstOrDefault() != Accept(key))
                throw new FailureException("webSocketRefused", Fault.Server, "The server did not answer the request for a WebSocket as agreed.", "Use the agent and the server of the same release.");
            // From here on the socket owns the connection.
            return WebSocket.CreateFromStream(await response.Content.ReadAsStreamAsync(cancel), new WebSocketCreationOptions
            {
                KeepAliveInterval = s_pingEvery,
                KeepAliveTimeout = s_pongWithin,
            });
        }
        catch
        {
            response.Dispose();
            throw;
        }
    }

    private static string Accept(string key)
    {
#pragma warning disable CA5350 // RFC 6455 asks for SHA-1, as a sign of understanding and not as protection.
        return Convert.ToBase64String(SHA1.HashData(Encoding.ASCII.GetBytes(key + AcceptSuffix)));
#pragma warning restore CA5350
    }
}
