using System.Net.Sockets;
using ImageForge.Contracts;

namespace ImageForge.Server.Multicasting;

/// <summary>Why a session cannot send, for the machine's screen and for people.</summary>
internal static class SessionFailures
{
    private const string Settings = "PUT /api/v1/multicast/settings";

    public static Failure Stopped(string image) => new(
        "multicastStopped", Fault.Server, $"The multicast of {image} was stopped.", "Nothing to do; the machine goes on over HTTP.");

    public static Failure NoInterface(string name, MulticastFamily family) => new(
        "noMulticastInterface", Fault.Network, $"The server's interface {name}, on which it is to multicast, does not exist or has no {(family == MulticastFamily.Ipv4 ? "IPv4" : "IPv6")} address.",
        $"Choose another in the multicast settings ({Settings}); until then machines go on over HTTP.");

    public static Failure NoManifest(string image) => new(
        "manifestMissing", Fault.Image, $"The manifest of {image} is missing or damaged in the store.", "Deploy another version, or capture the image again.");

    public static Failure NoGroup(MulticastSettings settings) => new(
        "noMulticastGroup", Fault.Server, $"Every group of {settings.GroupsOrDefault} with every port from {settings.FirstPort} to {settings.LastPort} carries a session.",
        $"Widen one of the two in the multicast settings ({Settings}), or wait for a session to end.");

    /// <summary>For the session's row and its event.</summary>
    public static string CannotSend(LiveSession session, Exception e)
    {
        var on = session.On is { } chosen ? $"on {chosen.Name}" : "where the route leads";
        var cure = (e.InnerException ?? e) is SocketException { SocketErrorCode: SocketError.NetworkUnreachable or SocketError.HostUnreachable or SocketError.AddressNotAvailable }
            ? $"Name the interface of the machines' network in the multicast settings ({Settings})."
            : "Look at the server's log and its interface; then order the job again.";
        return $"The server cannot send to {session.Group.Group} {on}: {e.Message} Its machines go on over HTTP. {cure}";
    }
}
