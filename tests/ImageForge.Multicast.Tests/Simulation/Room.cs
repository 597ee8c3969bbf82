using ImageForge.Multicast.Messages;
using ImageForge.Multicast.Packets;
using ImageForge.Multicast.Sending;

namespace ImageForge.Multicast.Tests.Simulation;

/// <summary>A sender and its members on a wire that does not exist, in steps of a millisecond of a time that does not pass.</summary>
internal sealed class Room
{
    public const int FragmentBytes = 1408;
    public const int ChunkBytes = 256 << 10;

    /// <summary>What 1 Gbit/s carries.</summary>
    public const int PacketsPerSecond = 84_000;

    private const int BlockChunks = 4;
    private const long Step = 1_000;

    private readonly List<(int[] Chunks, int Length)> _blocks = [];
    private readonly Dictionary<ulong, Announcement> _announcements = [];
    private readonly List<long> _arrived = [];
    private readonly PlannedPacket[] _packets = new PlannedPacket[2048];
    private readonly double _switch;
    private double _switchQueue;
    private double _credit;
    private long _firstPassData;

    /// <param name="wire">Packets per second that the sender's network card takes.</param>
    /// <param name="switchRate">Packets per second that the switch takes on; 0: as many as come. It queues 500 and drops the rest.</param>
    public Room(int seed, int chunks, IReadOnlyList<MemberTraits> members, double switchRate = 0, double? packetsPerSecond = null, ulong sequenceEnd = uint.MaxValue)
    {
        (Seed, Chunks, _switch) = (seed, chunks, switchRate);
        Options = new SenderCoreOptions(FragmentBytes, Batch: 44, Epoch: 1, packetsPerSecond, (1, null), sequenceEnd);
        Sender = new SenderCore(Options, chunks, 0);
        Members = [.. members.Select((traits, index) => new SimulatedMember(this, index, traits))];
    }

    public int Seed { get; }

    public int Chunks { get; }

    public SenderCoreOptions Options { get; }

    public SenderCore Sender { get; private set; }

    public IReadOnlyList<SimulatedMember> Members { get; }

    public long Now { get; private set; }

    public long Packets { get; private set; }

    public int Messages => _arrived.Count;

    /// <summary>The content once over the wire.</summary>
    public double WireSeconds => PassPackets / PacketsPerSecond;

    /// <summary>The most of any second.</summary>
    public int MessagesPerSecond
    {
        get
        {
            var most = 0;
            for (int from = 0, to = 0; to < _arrived.Count; to++)
            {
                while (_arrived[to] - _arrived[from] >= 1_000_000)
                    from++;
                most = Math.Max(most, to - from + 1);
            }
            return most;
        }
    }

    public double RepairShare => Sender.ParityPackets / (double)Math.Max(1, Sender.DataPackets);

    /// <summary>Every (epoch, sequence) that was sent, if somebody asks.</summary>
    public HashSet<(uint Epoch, ulong Sequence)>? Nonces { get; set; }

    public (int[] Chunks, int Length) Block(uint number) => _blocks[(int)number];

    public Announcement AnnouncementOf(ulong sequence) => _announcements[sequence];

    public void Arrived(long now) => _arrived.Add(now);

    /// <summary>Whether so much of the first pass was sent that the member comes.</summary>
    public bool MayJoin(SimulatedMember member) => member.Joins > 0 || _firstPassData >= member.Traits.JoinAt * PassPackets;

    private double PassPackets => Math.Ceiling(Chunks * (double)ChunkBytes / FragmentBytes);

    /// <summary>Lives until everybody has ended, or so many seconds.</summary>
    public Room Run(double seconds = 300, Func<Room, bool>? until = null)
    {
        for (; Now < seconds * 1e6; Now += Step)
        {
            foreach (var member in Members)
                member.Live(Now);
            Send();
            foreach (var number in Sender.Forgotten)
                Members.FirstOrDefault(member => member.Number == number)?.Disconnect();
            Sender.Forgotten.Clear();
            if (Members.All(member => member.EndedAt >= 0) || until?.Invoke(this) == true)
                break;
        }
        return this;
    }

    /// <summary>The sender dies; another one begins with the next epoch and knows nothing. Members join again.</summary>
    public void KillSender()
    {
        Sender = new SenderCore(Options with { Epoch = Sender.Epoch + 1 }, Chunks, Now);
        _blocks.Clear();
        foreach (var member in Members)
            member.Disconnect();
    }

    private void Send()
    {
        _credit = Math.Min(PacketsPerSecond * Step / 1e6 * 2, _credit + (PacketsPerSecond * Step / 1e6));
        _switchQueue = Math.Max(0, _switchQueue - (_switch * Step / 1e6));
        for (; ; )
        {
            var epoch = Sender.Epoch;
            while (Sender.WantsBlock && ComposeBlock())
            {
            }
            Deliver();
            if (_credit < 1)
                return;
            var count = Sender.Next(Now, _packets.AsSpan(0, Math.Min(_packets.Length, Math.Max(1, (int)_credit))), out _);
            Deliver();
            if (Sender.Epoch != epoch)
                _blocks.Clear();
            if (count == 0 && !Sender.WantsBlock)
                return;
            if (count == 0)
                continue;
            Packets += count;
            _credit -= count;
            foreach (var packet in _packets.AsSpan(0, count))
            {
                Nonces?.Add((Sender.Epoch, packet.Sequence));
                if (packet.Kind == PacketKind.Announcement)
                    _announcements[packet.Sequence] = Sender.Announced;
            }
            if (Sender.Pass == 1)
                _firstPassData = Sender.DataPackets;
            var passed = PassSwitch(_packets.AsSpan(0, count));
            foreach (var member in Members)
                member.Receive(passed, Sender.Epoch, Now);
        }
    }

    private bool ComposeBlock()
    {
        var chunks = new List<int>();
        while (chunks.Count < BlockChunks && Sender.TryTakeChunk(out var chunk))
            chunks.Add(chunk);
        if (chunks.Count == 0)
            return false;
        var number = Sender.NextBlock;
        if (number == 0)
            _blocks.Clear();
        _blocks.Add(([.. chunks], chunks.Count * ChunkBytes));
        Sender.BeginBlock(number, chunks.Count * ChunkBytes, chunks.Count);
        return true;
    }

    private Span<PlannedPacket> PassSwitch(Span<PlannedPacket> packets)
    {
        if (_switch == 0)
            return packets;
        var room = (int)Math.Max(0, Math.Min(packets.Length, 500 - _switchQueue));
        _switchQueue += room;
        return packets[..room];
    }

    private void Deliver()
    {
        foreach (var (number, message) in Sender.Outbox)
            Members.FirstOrDefault(member => member.Number == number)?.FromSender(Now, message ?? (object)Sender.Epoch);
        Sender.Outbox.Clear();
    }
}
