using System.Net;
using System.Net.NetworkInformation;
using System.Net.WebSockets;
using System.Security.Cryptography;
using ImageForge.Agent.Tests.Server;
using ImageForge.Contracts;
using ImageForge.Imaging.Manifests;
using ImageForge.Multicast;
using ImageForge.Multicast.Channels;
using ImageForge.Multicast.Frames;

namespace ImageForge.Agent.Tests.Streams;

/// <summary>A real multicast sender on loopback, fed from the chunks of a scripted server, behind its WebSocket.</summary>
internal sealed class SendingRoom : IAsyncDisposable
{
    private static int s_rooms;

    private readonly ScriptedServer _server;
    private readonly ChunkNumbers _numbers;
    private readonly GroupEndpoint _group;
    private readonly StartRule _start;
    private MulticastSender? _sender;
    private Task _sending = Task.CompletedTask;
    private uint _epoch;

    /// <param name="server">Holds manifest and chunks already.</param>
    public SendingRoom(ScriptedServer server, StartRule? start = null)
    {
        Assert.True(ImageDisks.TryParse(server.Manifest, out var image, out _));
        var room = Interlocked.Increment(ref s_rooms);
        (_server, _numbers, _start) = (server, new ChunkNumbers(image), start ?? StartRule.FirstHost);
        // A group per test run: another run on this machine must not be heard.
        _group = new GroupEndpoint(new IPAddress([239, 77, (byte)Environment.ProcessId, (byte)(Environment.ProcessId >> 8)]), 20000 + (room % 10000));
        server.Multicast = ServeAsync;
    }

    public int Chunks => _numbers.Count;

    /// <summary>Replaces frames: chunk number and stored frame.</summary>
    public Func<int, byte[], byte[]> Change { get; set; } = (_, frame) => frame;

    /// <summary>Stands between the sender and its members.</summary>
    public Func<IControlChannel, IControlChannel> Between { get; set; } = channel => channel;

    public double? BitsPerSecond { get; set; }

    public List<MemberEnd> Ends { get; } = [];

    public MulticastSender Sender => _sender!;

    public string ChunkId(int number) => _numbers[number].ToString();

    public void Start()
    {
        _sender = new MulticastSender(
            new SenderOptions(_group, IPAddress.Loopback, NetworkInterface.LoopbackInterfaceIndex, 1, 1408, 44, ++_epoch, BitsPerSecond, _start),
            new SessionContent(_numbers.PlainLengths), new Frames(this), TimeProvider.System);
        _sending = _sender.RunAsync(CancellationToken.None);
    }

    /// <summary>Returns once the only member lacks no more than this share of the chunks, as it says itself.</summary>
    public async Task LackingAsync(double share)
    {
        var patience = System.Diagnostics.Stopwatch.StartNew();
        while (_sender?.Figures().Members is not [{ } member] || member.ChunksLacking > share * Chunks)
        {
            Assert.True(patience.Elapsed < TimeSpan.FromSeconds(60), "the member never got so far");
            await Task.Delay(20);
        }
    }

    /// <summary>As far as members can tell: without a word.</summary>
    public async Task DieAsync()
    {
        var sender = _sender!;
        _sender = null;
        await sender.DisposeAsync();
        await _sending.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>Orders the deploy of what the server holds.</summary>
    /// <param name="patience">In seconds; more than the five of the product, because a busy machine may keep the sender from the processor for so long.</param>
    public void Order(double patience = 60) => _server.Task = new TaskAssignment(7, JobKind.Deploy, "pc-07", AfterTask.Reboot, null,
        new DeployAssignment("debian", 3, Convert.ToHexStringLower(SHA256.HashData(_server.Manifest)), null, Multicast: new MulticastOffer(4, patience)));

    public async ValueTask DisposeAsync()
    {
        _server.Multicast = null;
        if (_sender is not null)
            await DieAsync();
    }

    private async Task ServeAsync(WebSocket socket, CancellationToken cancel)
    {
        if (_sender is not { } sender)
            return;
        using var channel = new WebSocketChannel(socket);
        var end = await sender.ServeAsync(Between(channel), "pc-07", cancel);
        lock (Ends)
            Ends.Add(end);
        if (end is MemberEnd.Lost or MemberEnd.Silent)
            socket.Abort();
        else
            await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, cancel);
    }

    private sealed class Frames(SendingRoom room) : IFrameSource
    {
        public ValueTask<int> ReadFrameAsync(int chunk, Memory<byte> frame, CancellationToken cancel)
        {
            var bytes = room.Change(chunk, room._server.Chunks[room.ChunkId(chunk)]);
            bytes.CopyTo(frame);
            return ValueTask.FromResult(bytes.Length);
        }
    }
}

/// <summary>Tells members another group than the one that is sent to: nothing of the stream reaches them.</summary>
internal sealed class WrongGroup(IControlChannel inner) : IControlChannel
{
    /// <summary>README.md, Messages: type, version, member, epoch, tag, key, salt, family, and then the address.</summary>
    private const int AddressAt = 1 + 1 + 2 + 4 + 4 + 16 + 4 + 1;

    public ValueTask SendAsync(ReadOnlyMemory<byte> message, CancellationToken cancel)
    {
        var bytes = message.ToArray();
        if (bytes[0] == 16)
            bytes[AddressAt + 1] ^= 1;
        return inner.SendAsync(bytes, cancel);
    }

    public ValueTask<ReadOnlyMemory<byte>?> ReceiveAsync(CancellationToken cancel) => inner.ReceiveAsync(cancel);
}
