using System.Net;
using ImageForge.NetBoot.ProxyDhcp;
using ImageForge.NetBoot.Pxe;

namespace ImageForge.NetBoot.Dhcp;

/// <summary>
/// The full DHCP server (RFC 2131 §4.3) for a network that has no other: addresses from a pool, and boot options for
/// the clients that ask for them. Holds leases, no socket.
/// </summary>
public sealed class DhcpServer(DhcpServerOptions options, ILeaseStore store, IBootPolicy policy, TimeProvider time, int clientPort = 68) : IDhcpResponder
{
    // Made with the first packet: only that tells our address, which the pool must not hand out.
    private AddressPool? _pool;

    public DhcpReply Respond(DhcpPacket request, DhcpArrival arrival)
    {
        _pool ??= new AddressPool(options.PoolFirst, options.PoolLast, [.. NeverGiven(arrival.ServerAddress)], store, time);
        var seen = new DhcpExchange(DhcpExchangeKind.Ignored, arrival.Port)
        {
            Mac = request.Mac,
            Request = request.Type,
            Client = BootClientParser.Read(request),
        };
        if (request.Operation != DhcpPacket.BootRequest)
            return Ignored(seen, DhcpIgnoreReason.NotARequest);
        if (request.RelayAddress.IsSet() && !OnOurSubnet(request.RelayAddress, arrival))
            return Ignored(seen, DhcpIgnoreReason.ForeignSubnet, $"the relay {request.RelayAddress} is on a subnet this server has no pool for");

        var chosen = request.Options.Address(DhcpOptionCode.ServerIdentifier);
        var forAnother = chosen is not null && !chosen.Equals(arrival.ServerAddress);
        return request.Type switch
        {
            DhcpMessageType.Discover => Discover(request, arrival, seen),
            DhcpMessageType.Request when forAnother => TookAnother(request, seen),
            DhcpMessageType.Request => Request(request, arrival, seen, selecting: chosen is not null),
            DhcpMessageType.Decline or DhcpMessageType.Release when forAnother => Ignored(seen, DhcpIgnoreReason.ForAnotherServer),
            DhcpMessageType.Decline => End(request.Options.Address(DhcpOptionCode.RequestedAddress), LeaseState.Quarantined, options.Quarantine, DhcpExchangeKind.Declined, seen),
            DhcpMessageType.Release => End(request.ClientAddress, LeaseState.Free, TimeSpan.Zero, DhcpExchangeKind.Released, seen),
            DhcpMessageType.Inform => Inform(request, arrival, seen),
            _ => Ignored(seen, DhcpIgnoreReason.ServerMessage),
        };
    }

    /// <summary>Ours, the router's, the name servers', and the first and last of the subnet (RFC 1122 §3.2.1.3; not in a /31, RFC 3021).</summary>
    private IEnumerable<IPAddress> NeverGiven(IPAddress server)
    {
        var (ours, mask) = (server.GetAddressBytes(), options.SubnetMask.GetAddressBytes());
        if (mask[3] < 254)
        {
            yield return new IPAddress([.. ours.Zip(mask, (a, m) => (byte)(a & m))]);
            yield return new IPAddress([.. ours.Zip(mask, (a, m) => (byte)(a | ~m))]);
        }
        yield return server;
        if (options.Gateway is { } gateway)
            yield return gateway;
        foreach (var dns in options.Dns)
            yield return dns;
    }

    private DhcpReply Discover(DhcpPacket request, DhcpArrival arrival, DhcpExchange seen)
    {
        var wish = request.Options.Address(DhcpOptionCode.RequestedAddress);
        return _pool!.Offer(request.Mac, wish, options.OfferHold) is { } address
            ? Grant(DhcpMessageType.Offer, address, request, arrival, seen)
            : Ignored(seen, DhcpIgnoreReason.PoolExhausted, $"no free address between {options.PoolFirst} and {options.PoolLast} for {request.Mac}");
    }

    /// <summary>SELECTING names us; INIT-REBOOT names an address; RENEWING and REBINDING have one in ciaddr (RFC 2131 §4.3.2).</summary>
    private DhcpReply Request(DhcpPacket request, DhcpArrival arrival, DhcpExchange seen, bool selecting)
    {
        var has = request.ClientAddress.IsSet();
        var address = has ? request.ClientAddress : request.Options.Address(DhcpOptionCode.RequestedAddress);
        if (address is null)
            return Ignored(seen, DhcpIgnoreReason.UnknownLease, "the REQUEST names no address");
        seen = seen with { Address = address };
        if (_pool!.TryBind(request.Mac, address, options.LeaseTime))
            return Grant(DhcpMessageType.Ack, address, request, arrival, seen);
        // An address of our subnet outside our pool may be another server's or a fixed one: RFC 2131 has us silent.
        if (!selecting && !_pool.Contains(address) && OnOurSubnet(address, arrival))
            return Ignored(seen, DhcpIgnoreReason.UnknownLease, $"{address} is not from this pool");
        return Refuse(request, arrival, seen, $"{address} is not available to {request.Mac}");
    }

    private DhcpReply TookAnother(DhcpPacket request, DhcpExchange seen)
    {
        _pool!.ForgetOffer(request.Mac);
        return new DhcpReply(seen with { Kind = DhcpExchangeKind.Observed, Address = request.Options.Address(DhcpOptionCode.RequestedAddress) });
    }

    private DhcpReply End(IPAddress? address, LeaseState state, TimeSpan duration, DhcpExchangeKind kind, DhcpExchange seen) =>
        address is not null && _pool!.TryEnd(seen.Mac!.Value, address, state, duration)
            ? new DhcpReply(seen with { Kind = kind, Address = address })
            : Ignored(seen, DhcpIgnoreReason.UnknownLease, $"{seen.Mac} does not hold {address}");

    private DhcpReply Inform(DhcpPacket request, DhcpArrival arrival, DhcpExchange seen)
    {
        if (!request.ClientAddress.IsSet())
            return Ignored(seen, DhcpIgnoreReason.UnknownLease, "the INFORM has no ciaddr");
        if (!OnOurSubnet(request.ClientAddress, arrival))
            return Ignored(seen, DhcpIgnoreReason.ForeignSubnet);
        return Grant(DhcpMessageType.Ack, null, request, arrival, seen with { Address = request.ClientAddress });
    }

    /// <param name="address">Null for INFORM, whose ACK has neither yiaddr nor lease time (RFC 2131 §4.3.5).</param>
    private DhcpReply Grant(DhcpMessageType type, IPAddress? address, DhcpPacket request, DhcpArrival arrival, DhcpExchange seen)
    {
        var reply = DhcpReplies.To(request, type, arrival.ServerAddress) with
        {
            YourAddress = address ?? IPAddress.Any,
            ClientAddress = type == DhcpMessageType.Ack ? request.ClientAddress : IPAddress.Any,
        };
        if (address is not null)
        {
            // T1 and T2 at half and seven eighths (RFC 2131 §4.4.5).
            reply.Options.Set(DhcpOptionCode.LeaseTime, options.LeaseTime);
            reply.Options.Set(DhcpOptionCode.RenewalTime, options.LeaseTime / 2);
            reply.Options.Set(DhcpOptionCode.RebindingTime, options.LeaseTime * 7 / 8);
        }
        // The mask before the router (RFC 2132 §3.3).
        reply.Options.Set(DhcpOptionCode.SubnetMask, options.SubnetMask);
        if (options.Gateway is { } gateway)
            reply.Options.Set(DhcpOptionCode.Router, gateway);
        if (options.Dns.Count > 0)
            reply.Options.Set(DhcpOptionCode.DomainNameServer, [.. options.Dns.SelectMany(d => d.GetAddressBytes())]);

        seen = seen with { Kind = type == DhcpMessageType.Offer ? DhcpExchangeKind.Offered : DhcpExchangeKind.Acknowledged, Address = address ?? seen.Address };
        if (seen.Client is { } client)
            seen = AddBoot(ref reply, request, client, arrival, seen);
        return new DhcpReply(seen, reply, Destination(request));
    }

    /// <summary>A client without a boot file still gets its address; the exchange says why it has nothing to boot.</summary>
    private DhcpExchange AddBoot(ref DhcpPacket reply, DhcpPacket request, BootClient client, DhcpArrival arrival, DhcpExchange seen) =>
        policy.Answer(client) switch
        {
            BootFile boot when BootOptions.TryAdd(ref reply, request, client, boot, arrival.ServerAddress) => seen with { BootFile = boot.Name },
            BootFile boot => seen with { Detail = $"\"{boot.Name}\" does not fit a DHCP packet" },
            NoBootFile none => seen with { Detail = none.Reason },
            _ => seen,
        };

    private DhcpReply Refuse(DhcpPacket request, DhcpArrival arrival, DhcpExchange seen, string why)
    {
        var reply = DhcpReplies.To(request, DhcpMessageType.Nak, arrival.ServerAddress);
        reply.Options.Set(DhcpOptionCode.Message, why);
        // RFC 2131 §4.3.2: the client's address may be wrong, so a NAK is always broadcast; a relay is told to by the flag.
        var relayed = request.RelayAddress.IsSet();
        return new DhcpReply(
            seen with { Kind = DhcpExchangeKind.Refused, Detail = why },
            relayed ? reply with { Flags = (ushort)(reply.Flags | DhcpPacket.BroadcastFlag) } : reply,
            relayed ? new IPEndPoint(request.RelayAddress, DhcpReplies.RelayPort) : new IPEndPoint(IPAddress.Broadcast, clientPort));
    }

    /// <summary>
    /// RFC 2131 §4.1. A client without an address is answered by broadcast even when it could take unicast: that needs
    /// an ARP entry or a raw socket, and clients must accept the broadcast.
    /// </summary>
    private IPEndPoint Destination(DhcpPacket request) =>
        request.RelayAddress.IsSet() ? new IPEndPoint(request.RelayAddress, DhcpReplies.RelayPort)
        : request.ClientAddress.IsSet() ? new IPEndPoint(request.ClientAddress, clientPort)
        : new IPEndPoint(IPAddress.Broadcast, clientPort);

    private bool OnOurSubnet(IPAddress address, DhcpArrival arrival)
    {
        var (ours, theirs, mask) = (arrival.ServerAddress.GetAddressBytes(), address.GetAddressBytes(), options.SubnetMask.GetAddressBytes());
        return ours.Zip(theirs, mask).All(b => ((b.First ^ b.Second) & b.Third) == 0);
    }

    private static DhcpReply Ignored(DhcpExchange seen, DhcpIgnoreReason reason, string? detail = null) =>
        new(seen with { Reason = reason, Detail = detail });
}
