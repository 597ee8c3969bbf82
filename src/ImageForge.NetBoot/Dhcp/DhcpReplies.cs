using System.Net;

namespace ImageForge.NetBoot.Dhcp;

/// <summary>What every reply of ours has in common.</summary>
internal static class DhcpReplies
{
    /// <summary>Where servers and relay agents listen (RFC 2131 §4.1).</summary>
    public const int RelayPort = 67;

    /// <summary>Header fields copied from the request (RFC 2131 table 3), server identifier, and option 82 echoed (RFC 3046 §2.2).</summary>
    public static DhcpPacket To(DhcpPacket request, DhcpMessageType type, IPAddress serverAddress)
    {
        var reply = new DhcpPacket
        {
            Operation = DhcpPacket.BootReply,
            Type = type,
            Mac = request.Mac,
            TransactionId = request.TransactionId,
            Flags = request.Flags,
            RelayAddress = request.RelayAddress,
        };
        reply.Options.Set(DhcpOptionCode.ServerIdentifier, serverAddress);
        if (request.Options.Find(DhcpOptionCode.RelayAgentInformation) is { } relay)
            reply.Options.Set(DhcpOptionCode.RelayAgentInformation, relay);
        return reply;
    }

    public static bool IsSet(this IPAddress address) => !address.Equals(IPAddress.Any);
}
