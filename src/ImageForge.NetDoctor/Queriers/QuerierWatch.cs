using ImageForge.NetDoctor.Frames;
using ImageForge.NetDoctor.Sockets;

namespace ImageForge.NetDoctor.Queriers;

/// <summary>Takes down the IGMP and MLD messages of one interface; one thread writes, reading is for afterwards.</summary>
internal sealed class QuerierWatch(TimeProvider time)
{
    /// <summary>A machine that floods the segment with queries must not fill our memory.</summary>
    private const int MostKept = 1000;

    private readonly long _began = time.GetTimestamp();
    private readonly List<HeardQuery> _queries = [];

    public IReadOnlyList<HeardQuery> Queries => _queries;

    /// <summary>Reports of other machines: somebody else receives multicast here.</summary>
    public int ReportsOfOthers { get; private set; }

    public void Take(HeardFrame frame)
    {
        if (!IpPacket.TryRead(frame.EtherType, frame.Packet.Span, out var packet) || !TryParse(packet, out var message))
            return;
        var outgoing = frame.As == HeardAs.Outgoing;
        if (message.Kind != GroupMessageKind.Query)
            ReportsOfOthers += outgoing ? 0 : 1;
        else if (_queries.Count < MostKept)
            _queries.Add(new HeardQuery(packet.Source, packet.IsV6, message, time.GetElapsedTime(_began), outgoing));
    }

    private static bool TryParse(IpPacket packet, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out GroupMessage? message)
    {
        message = null;
        return packet.IsV6 ? MldParser.TryParse(packet, out message) : packet.Protocol == IpPacket.Igmp && IgmpParser.TryParse(packet.Payload, out message);
    }
}
