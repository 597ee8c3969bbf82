using System.Net.WebSockets;
using ImageForge.Contracts;
using ImageForge.Imaging.Chunks;
using ImageForge.Imaging.Manifests;
using ImageForge.Multicast;
using ImageForge.Multicast.Channels;
using ImageForge.Multicast.Frames;
using ImageForge.Server.Hosts;
using ImageForge.Server.Tests.Agents;

namespace ImageForge.Server.Tests.Multicasting;

/// <summary>One machine of a room with its task: the product's receiver behind a real WebSocket, on the loopback interface.</summary>
internal sealed class Machine(Room room, ScriptedAgent agent, long job, long task)
{
    private HttpClient? _client;

    public ScriptedAgent Agent => agent;

    public long Job => job;

    public long TaskId => task;

    public Host Host => agent.Host;

    /// <summary>What it has received and checked.</summary>
    public CheckedFrames Received { get; } = new(room.Numbers);

    public HttpClient Client => _client ?? throw new InvalidOperationException("it has not checked in");

    /// <summary>Boots and checks in.</summary>
    public async Task<(CheckInResponse Answer, HttpClient Client)> CheckInAsync()
    {
        var (answer, client) = await agent.CheckInAsync(task);
        _client = client;
        return (answer, client);
    }

    /// <summary>Opens the WebSocket; an answer that is no WebSocket throws <see cref="WebSocketException"/>.</summary>
    public async Task<ClientWebSocket> ConnectAsync()
    {
        var socket = new ClientWebSocket();
        await socket.ConnectAsync(new UriBuilder(new Uri(Client.BaseAddress!, "agent/v1/deploy/multicast")) { Scheme = "wss" }.Uri, Client, default);
        return socket;
    }

    /// <summary>Checks in if it has not, joins with what it lacks and stays until the session or its patience ends.</summary>
    public async Task<ReceiveOutcome> ReceiveAsync(CancellationToken cancel = default)
    {
        if (_client is null)
            await CheckInAsync();
        using var socket = await ConnectAsync();
        using var channel = new WebSocketChannel(socket);
        var receiver = new MulticastReceiver(
            new ReceiverOptions("lo", Loopback.Index, System.Net.IPAddress.Loopback, TimeSpan.FromSeconds(30)), room.Content, channel, Received, TimeProvider.System);
        return await receiver.RunAsync(Received.Lacking(), cancel);
    }

    /// <summary>As an agent does: joins again whenever the connection breaks, also while the server is away.</summary>
    public async Task<ReceiveOutcome> ReceiveThroughAsync(CancellationToken cancel = default)
    {
        while (true)
        {
            try
            {
                if (await ReceiveAsync(cancel) is { End: not ReceiveEnd.ChannelLost } outcome)
                    return outcome;
            }
            catch (Exception e) when (e is HttpRequestException or WebSocketException or IOException)
            {
                // The server is away.
            }
            await System.Threading.Tasks.Task.Delay(50, cancel);
        }
    }
}

internal static class Loopback
{
    public static int Index { get; } = System.Net.NetworkInformation.NetworkInterface.GetAllNetworkInterfaces().First(i => i.Name == "lo").GetIPProperties().GetIPv4Properties().Index;
}

/// <summary>Takes frames as a disk would: decompressed and hashed; remembers which came.</summary>
internal sealed class CheckedFrames(ChunkNumbers numbers) : IFrameSink
{
    private readonly ChunkSet _have = new(numbers.Count);
    private readonly Lock _lock = new();
    private int _wrong;
    private volatile bool _busy;

    public bool HasRoom => !_busy;

    public long WaitingBytes => 0;

    /// <summary>Chunks that came and are right.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
                return _have.Count;
        }
    }

    /// <summary>Frames that were not what their number says.</summary>
    public int Wrong => _wrong;

    /// <summary>How long a frame takes.</summary>
    public TimeSpan Slowness { get; set; }

    /// <summary>This machine has these already.</summary>
    public void Hold(IEnumerable<int> chunks)
    {
        lock (_lock)
        {
            foreach (var chunk in chunks)
                _have.Add(chunk);
        }
    }

    public ChunkSet Lacking()
    {
        lock (_lock)
        {
            var lack = ChunkSet.Full(numbers.Count);
            lack.ExceptWith(_have);
            return lack;
        }
    }

    public async ValueTask TakeAsync(int chunk, ReadOnlyMemory<byte> frame, CancellationToken cancel)
    {
        if (!ChunkFrame.Verify(numbers[chunk], numbers.PlainLength(chunk), frame.Span))
            Interlocked.Increment(ref _wrong);
        else
            Hold([chunk]);
        if (Slowness > TimeSpan.Zero)
        {
            _busy = true;
            await Task.Delay(Slowness, cancel);
            _busy = false;
        }
    }

    public IReadOnlyList<int> Refused() => [];
}
