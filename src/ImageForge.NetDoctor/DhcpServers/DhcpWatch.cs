using System.Net;
using ImageForge.Contracts;
using ImageForge.NetBoot.Dhcp;
using ImageForge.NetDoctor.Frames;
using ImageForge.NetDoctor.Sockets;

namespace ImageForge.NetDoctor.DhcpServers;

/// <summary>Collects the answers to our questions: those that pass the interface, our own server's going out among them, and those that come to the socket we ask on.</summary>
internal sealed class DhcpWatch(DhcpQuestions questions, string interfaceName, IReadOnlySet<IPAddress> ours)
{
    /// <summary>Hundreds of servers are no network but a flood.</summary>
    private const int MostKept = 200;

    private readonly Lock _lock = new();
    private readonly List<DhcpAnswer> _answers = [];

    public IReadOnlyList<DhcpAnswer> Answers
    {
        get
        {
            lock (_lock)
                return [.. _answers];
        }
    }

    public void Take(HeardFrame frame)
    {
        if (IpPacket.TryRead(frame.EtherType, frame.Packet.Span, out var packet) && !packet.IsV6
            && UdpDatagram.TryRead(packet, out var datagram) && datagram.SourcePort is 67 or 4011)
            Take(datagram.Data, packet.Source, frame.Source);
    }

    public void Take(ReadOnlySpan<byte> bytes, IPAddress from, MacAddress? fromMac)
    {
        if (!DhcpPacketParser.TryParse(bytes, out var packet, out _) || packet.Type is not (DhcpMessageType.Offer or DhcpMessageType.Ack)
            || questions.AnswersTo(packet) is not { } asked)
            return;
        var answer = DhcpAnswerReader.Read(packet, asked, interfaceName, from, fromMac, ours);
        lock (_lock)
        {
            // The question went out twice; a relay may bring the same answer by two ways.
            if (_answers.Count < MostKept && !_answers.Any(a => a with { FromMac = answer.FromMac } == answer))
                _answers.Add(answer);
        }
    }
}
