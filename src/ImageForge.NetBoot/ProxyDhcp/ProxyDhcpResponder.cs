using System.Net;
using ImageForge.NetBoot.Dhcp;
using ImageForge.NetBoot.Pxe;

namespace ImageForge.NetBoot.ProxyDhcp;

/// <summary>
/// Answers network-boot clients beside a DHCP server that knows nothing of us (PXE 2.1 §2.2.1): on port 67 a broadcast
/// DISCOVER gets an OFFER without an address, on port 4011 a unicast REQUEST gets an ACK. Pure: no socket, no state.
/// </summary>
public sealed class ProxyDhcpResponder(IBootPolicy policy, int bootServerPort = 4011, int clientPort = 68) : IDhcpResponder
{
    public DhcpReply Respond(DhcpPacket request, DhcpArrival arrival)
    {
        var client = BootClientParser.Read(request);
        var seen = new DhcpExchange(DhcpExchangeKind.Ignored, arrival.Port)
        {
            Mac = request.Mac,
            Request = request.Type,
            Client = client,
            Address = AddressOf(request),
        };
        if (request.Operation != DhcpPacket.BootRequest)
            return Ignored(seen, DhcpIgnoreReason.NotARequest);

        var forUs = arrival.ServerAddress.Equals(request.Options.Address(DhcpOptionCode.ServerIdentifier));
        if (arrival.Port == bootServerPort)
        {
            return request.Type is DhcpMessageType.Request or DhcpMessageType.Inform
                ? Answer(DhcpMessageType.Ack, request, arrival, client, seen)
                : Ignored(seen, DhcpIgnoreReason.NotOurService);
        }
        return request.Type switch
        {
            DhcpMessageType.Discover => Answer(DhcpMessageType.Offer, request, arrival, client, seen),
            // A ROM may ask the proxy it chose on port 67 again, naming it.
            DhcpMessageType.Request when forUs => Answer(DhcpMessageType.Ack, request, arrival, client, seen),
            DhcpMessageType.Request => new DhcpReply(seen with { Kind = DhcpExchangeKind.Observed }),
            DhcpMessageType.Offer or DhcpMessageType.Ack or DhcpMessageType.Nak => Ignored(seen, DhcpIgnoreReason.ServerMessage),
            _ => Ignored(seen, DhcpIgnoreReason.NotOurService),
        };
    }

    private DhcpReply Answer(DhcpMessageType type, DhcpPacket request, DhcpArrival arrival, BootClient? client, DhcpExchange seen)
    {
        if (client is null)
            return Ignored(seen, DhcpIgnoreReason.NotNetBoot);
        if (client.Architecture is null && !client.IsIpxe)
            return Ignored(seen, DhcpIgnoreReason.NoArchitecture, $"{client.VendorClass} does not say its architecture (option 93)");

        var answer = policy.Answer(client);
        if (answer is not BootFile boot)
            return Ignored(seen, DhcpIgnoreReason.NoBootFile, (answer as NoBootFile)?.Reason);

        var reply = DhcpReplies.To(request, type, arrival.ServerAddress);
        // A client tells a boot server's offer from a DHCP server's by this option (PXE 2.1 §2.4.3).
        reply.Options.Set(DhcpOptionCode.VendorClass, BootClientParser.PxeVendorClass);
        if (!BootOptions.TryAdd(ref reply, request, client, boot, arrival.ServerAddress))
            return Ignored(seen, DhcpIgnoreReason.BootFileTooLong, $"\"{boot.Name}\" does not fit a DHCP packet");
        if (type == DhcpMessageType.Ack)
        {
            reply = reply with { ClientAddress = request.ClientAddress };
            if (VendorOptions.RepeatBootItem(request.Options.Find(DhcpOptionCode.VendorSpecific)) is { } item)
                reply.Options.Set(DhcpOptionCode.VendorSpecific, item);
        }
        else if (client is { Architecture: ClientArchitecture.Bios, IsIpxe: false })
        {
            reply.Options.Set(DhcpOptionCode.VendorSpecific, VendorOptions.UseTheBootFile);
        }

        var kind = type == DhcpMessageType.Offer ? DhcpExchangeKind.Offered : DhcpExchangeKind.Acknowledged;
        return new DhcpReply(seen with { Kind = kind, BootFile = boot.Name }, reply, Destination(request, arrival));
    }

    private IPEndPoint Destination(DhcpPacket request, DhcpArrival arrival)
    {
        if (request.RelayAddress.IsSet())
            return new IPEndPoint(request.RelayAddress, DhcpReplies.RelayPort);
        // The sender of a unicast request waits on the port it sent from, 68 or 4011.
        if (arrival.Port == bootServerPort && arrival.Source.Address.IsSet())
            return arrival.Source;
        return new IPEndPoint(request.ClientAddress.IsSet() ? request.ClientAddress : IPAddress.Broadcast, clientPort);
    }

    /// <summary>In a REQUEST the address is the requested one (option 50), or what the client already has.</summary>
    private static IPAddress? AddressOf(DhcpPacket request) =>
        request.ClientAddress.IsSet() ? request.ClientAddress
        : request.Type == DhcpMessageType.Request ? request.Options.Address(DhcpOptionCode.RequestedAddress)
        : null;

    private static DhcpReply Ignored(DhcpExchange seen, DhcpIgnoreReason reason, string? detail = null) =>
        new(seen with { Reason = reason, Detail = detail });
}
