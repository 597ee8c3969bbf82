using System.Net;
using ImageForge.Multicast.Packets;
using ImageForge.Multicast.Sockets;

namespace ImageForge.Multicast.Tests.Sessions;

/// <summary>Content, a group of its own on the loopback interface, and a minute and a half, for busy machines.</summary>
internal sealed class LoopbackSession : IDisposable
{
    private const int Loopback = 1;
    private static int s_port = 30_000 + (Environment.ProcessId % 10_000);

    private readonly CancellationTokenSource _cancel = new(TimeSpan.FromSeconds(90));
    private readonly FrameDisk _disk;

    public LoopbackSession(int chunks, int longest)
    {
        Chunks = chunks;
        _disk = new FrameDisk(seed: 1, chunks, longest);
        Group = new GroupEndpoint(IPAddress.Parse("239.255.77.1"), Interlocked.Increment(ref s_port));
    }

    public int Chunks { get; }

    public GroupEndpoint Group { get; }

    public CancellationToken Cancel => _cancel.Token;

    public CheckingSink NewSink() => new(_disk);

    public MulticastSender NewSender(uint epoch, double? bitsPerSecond = null, StartRule? start = null, ulong sequenceEnd = uint.MaxValue) =>
        new(new SenderOptions(Group, null, Loopback, 1, 1408, 44, epoch, bitsPerSecond, start ?? StartRule.FirstHost, Loopback: true), _disk.Content, _disk, TimeProvider.System, sequenceEnd);

    public MulticastReceiver NewReceiver(ChannelPair pair, CheckingSink sink, TimeSpan? patience = null) =>
        new(new ReceiverOptions("lo", Loopback, IPAddress.Loopback, patience ?? TimeSpan.FromSeconds(5)), _disk.Content, pair.Member, sink, TimeProvider.System);

    public async Task<(ReceiveOutcome Outcome, MemberEnd Served, CheckingSink Sink)> RunMember(MulticastSender sender, string name, TimeSpan? patience = null)
    {
        var (pair, sink) = (new ChannelPair(), NewSink());
        var serving = sender.ServeAsync(pair.Sender, name, Cancel);
        _ = serving.ContinueWith(_ => pair.Break(), TaskScheduler.Default);
        var outcome = await NewReceiver(pair, sink, patience).RunAsync(ChunkSet.Full(Chunks), Cancel);
        return (outcome, await serving, sink);
    }

    public void Dispose() => _cancel.Dispose();
}

/// <summary>A machine that joins one sender after the other with what it lacks then.</summary>
internal sealed class PersistentMember(LoopbackSession session, ChunkSet lacking)
{
    private ChannelPair? _pair;

    public ChunkSet Lacking { get; private set; } = lacking;

    public CheckingSink Sink { get; } = session.NewSink();

    public List<ReceiveEnd> Ends { get; } = [];

    public async Task JoinAsync(MulticastSender sender, CancellationToken cancel)
    {
        var pair = _pair = new ChannelPair();
        var serving = sender.ServeAsync(pair.Sender, "pc", cancel);
        _ = serving.ContinueWith(_ => pair.Break(), TaskScheduler.Default);
        var outcome = await session.NewReceiver(pair, Sink).RunAsync(Lacking, session.Cancel);
        Lacking = outcome.Lacking;
        Ends.Add(outcome.End);
        await ((Task)serving).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    public void Break() => _pair?.Break();
}

/// <summary>Writes down the sequence of every packet of a group, by the tag of its key.</summary>
internal sealed class NonceSpy : IDisposable
{
    private readonly MulticastReceiveSocket _socket;
    private readonly Dictionary<uint, HashSet<ulong>> _seen = [];
    private readonly Thread _thread;
    private volatile bool _stop;
    private readonly Lock _lock = new();

    public NonceSpy(GroupEndpoint group)
    {
        _socket = new MulticastReceiveSocket(new ReceiveSocketOptions(group, 1, IPAddress.Loopback, 1408 + PacketHeader.Overhead, 64 << 20)) { Timeout = TimeSpan.FromMilliseconds(20) };
        _thread = new Thread(Listen) { IsBackground = true };
        _thread.Start();
    }

    public int Repeated { get; private set; }

    public int Tags
    {
        get
        {
            lock (_lock)
                return _seen.Count;
        }
    }

    public int Packets
    {
        get
        {
            lock (_lock)
                return _seen.Values.Sum(sequences => sequences.Count);
        }
    }

    public void Dispose()
    {
        _stop = true;
        _thread.Join();
        _socket.Dispose();
    }

    private void Listen()
    {
        while (!_stop)
        {
            for (int i = 0, count = _socket.Receive(); i < count; i++)
            {
                var tag = System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(_socket.Packet(i)[4..]);
                if (!PacketHeader.TryRead(_socket.Packet(i), tag, 1408, out var header))
                    continue;
                lock (_lock)
                {
                    if (!_seen.TryGetValue(tag, out var sequences))
                        _seen.Add(tag, sequences = []);
                    if (!sequences.Add(header.Sequence))
                        Repeated++;
                }
            }
        }
    }
}
