using ImageForge.NetDoctor.Frames;
using ImageForge.NetDoctor.Sockets;

namespace ImageForge.NetDoctor.Echoes;

/// <summary>Which test packets of the other interfaces arrived at this one, and with what TTL.</summary>
internal sealed class EchoWatch(ulong run)
{
    private readonly Dictionary<(int From, EchoKind Kind), int> _heard = [];

    /// <summary>TTL on arrival.</summary>
    public IReadOnlyDictionary<(int From, EchoKind Kind), int> Heard => _heard;

    public void Take(HeardFrame frame)
    {
        // What leaves by this interface is no proof of anything.
        if (frame.As != HeardAs.Outgoing && IpPacket.TryRead(frame.EtherType, frame.Packet.Span, out var packet)
            && UdpDatagram.TryRead(packet, out var datagram) && Echo.TryRead(datagram.Data, run, out var from, out var kind))
            _heard[(from, kind)] = packet.Ttl;
    }
}
