using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using ImageForge.Lab.Networks;

namespace ImageForge.EndToEnd.BootFaults;

internal enum HttpFault
{
    None,

    /// <summary>Takes the connection and never answers.</summary>
    Silent,

    /// <summary>Sends the head and half of the body, then nothing more.</summary>
    StallsHalfWay,

    /// <summary>Answers 500.</summary>
    InternalError,
}

/// <summary>Stands where our server's HTTP port would be and fails on purpose.</summary>
internal sealed class FaultyHttpServer : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly Socket _listener;
    private readonly Func<string, (HttpFault Fault, byte[] Body)> _answer;
    private readonly Task _loop;

    /// <param name="answer">From the path with its query.</param>
    public FaultyHttpServer(LabNetwork network, Func<string, (HttpFault Fault, byte[] Body)> answer)
    {
        _answer = answer;
        _listener = NamespaceSockets.Create(network.Server, SocketType.Stream, ProtocolType.Tcp);
        _listener.Bind(new IPEndPoint(IPAddress.Parse(LabNetwork.ServerAddress), 8080));
        _listener.Listen(100);
        _loop = AcceptAsync();
    }

    public ConcurrentQueue<string> Paths { get; } = [];

    public int Count(string prefix) => Paths.Count(p => p.StartsWith(prefix, StringComparison.Ordinal));

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Dispose();
        await _loop;
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
                _ = AnswerAsync(await _listener.AcceptAsync(_stop.Token));
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
        }
    }

    private async Task AnswerAsync(Socket socket)
    {
        using var _ = socket;
        try
        {
            var request = new StringBuilder();
            var buffer = new byte[4096];
            while (!request.ToString().Contains("\r\n\r\n", StringComparison.Ordinal))
            {
                var count = await socket.ReceiveAsync(buffer, _stop.Token);
                if (count == 0)
                    return;
                request.Append(Encoding.ASCII.GetString(buffer, 0, count));
            }
            var path = request.ToString().Split(' ')[1];
            Paths.Enqueue(path);
            var (fault, body) = _answer(path);
            if (fault != HttpFault.Silent)
                await socket.SendAsync(Head(fault, body), _stop.Token);
            if (fault is HttpFault.None or HttpFault.StallsHalfWay)
                await socket.SendAsync(fault == HttpFault.None ? body : body.AsMemory(0, body.Length / 2), _stop.Token);
            if (fault is HttpFault.Silent or HttpFault.StallsHalfWay)
                await Task.Delay(Timeout.Infinite, _stop.Token);
            socket.Shutdown(SocketShutdown.Send);
            await socket.ReceiveAsync(buffer, _stop.Token);
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException)
        {
        }
    }

    private static byte[] Head(HttpFault fault, byte[] body) => Encoding.ASCII.GetBytes(fault == HttpFault.InternalError
        ? "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        : $"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {body.Length}\r\nConnection: close\r\n\r\n");
}
