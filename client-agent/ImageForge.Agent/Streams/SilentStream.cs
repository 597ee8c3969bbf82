using System.Globalization;
using System.Net;
using System.Net.Sockets;
using ImageForge.Multicast;

namespace ImageForge.Agent.Streams;

/// <summary>
/// Why a machine hears nothing of a stream that runs, as one sentence for its screen: the likeliest cause that its own facts allow. The
/// server knows what the other machines hear and has a sentence of its own (<c>Multicasting/SilenceCause.cs</c>).
/// </summary>
internal static class SilentStream
{
    /// <param name="interface">Null: none could be named.</param>
    /// <param name="linkUp">Whether the card has a link; null: unknown.</param>
    public static string Cause(ReceiveFacts facts, ListeningInterface? @interface, IPAddress server, TimeSpan patience, bool? linkUp)
    {
        if (facts.Group is not { } group)
            return "The multicast session did not begin: the server accepted this machine and then said nothing. Look at the session's events on the server.";
        var (membership, snooping) = group.Group.AddressFamily == AddressFamily.InterNetworkV6 ? ("MLD", "MLD snooping") : ("IGMP", "IGMP snooping");
        var on = @interface is null ? "" : $" on {@interface.Name}";
        var stream = $"the stream to {group.Group} port {group.Port}";
        if (facts.SocketError is { } error)
            return $"This machine cannot listen to {stream}{on}: {error.TrimEnd('.')}.";
        if (linkUp == false)
            return $"The network card{on} lost its link while it listened to {stream}: check the cable.";
        if (!facts.Joined)
            return $"This machine is no member of the group of {stream}{on}: it listens on the wrong interface, or its kernel has no multicast.";
        if (facts.Verified > 0)
            return string.Create(CultureInfo.InvariantCulture,
                $"Packets of {stream} came and then stopped{on}: a switch with {snooping} forgot this machine because nobody asks for members ({membership} querier missing), or the server's side broke.");
        if (facts.Refused > 0)
            return $"Packets of {stream} arrive{on} and none of them verifies: another sender uses the same group, or this network card damages them.";
        if (facts.Strangers > 0)
            return $"Only packets of another sender arrive in {stream}{on}: multicast works here, so the server sends on another interface or another session took its group.";
        var nothing = string.Create(CultureInfo.InvariantCulture, $"No packet of {stream} arrived{on} within {patience.TotalSeconds:0.#} s");
        if (@interface?.IsNear(server) == false)
            return $"{nothing}: the server is in another network, where a TTL of 1 or a router without multicast routing ends the stream.";
        return $"{nothing}: probably a switch with {snooping} and no querier; else a firewall on the server, or the server sends on the wrong interface.";
    }
}
