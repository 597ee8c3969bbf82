using System.Net;
using ImageForge.Multicast;

namespace ImageForge.Server.Multicasting;

/// <summary>What the server knows when a member says that it heard nothing.</summary>
/// <param name="Host">Its name.</param>
/// <param name="Address">From which its connection comes.</param>
/// <param name="Group">To which we send.</param>
/// <param name="Ttl">With which we send.</param>
/// <param name="On">The interface that we send on; null: as the route says.</param>
/// <param name="Others">The server's other interfaces.</param>
/// <param name="BytesSent">By this sender.</param>
/// <param name="SendError">What our own kernel says to most of what we send; null: it takes it.</param>
/// <param name="NearHearers">Other members that hear us, in the same network as this one.</param>
/// <param name="FarHearers">Those in other networks.</param>
/// <param name="Silent">Members of this session that heard nothing, this one among them.</param>
internal sealed record SilenceFacts(
    string Host, IPAddress Address, GroupEndpoint Group, int Ttl, SendInterface? On, IReadOnlyList<SendInterface> Others, long BytesSent, string? SendError, int NearHearers, int FarHearers, int Silent);

/// <param name="Code">lowerCamel, for programs.</param>
/// <param name="Sentence">Who hears nothing and the likely cause.</param>
internal sealed record LikelyCause(string Code, string Sentence, string Cure);

/// <summary>Why a machine hears nothing of a stream, told from who else does. The likeliest cause first; it is named likely because nobody can see into a switch.</summary>
internal static class SilenceCause
{
    public static LikelyCause Of(SilenceFacts facts)
    {
        var host = $"{facts.Host} ({facts.Address}) heard nothing of the stream to {facts.Group.Group} port {facts.Group.Port}";
        if (facts.BytesSent == 0)
            return new("nothingSent", $"{host}: the server has sent nothing yet.", "Look at the session's own events; the machine goes on over HTTP.");
        if (facts.SendError is { } error)
            return facts.On is { Up: false } ? Down(facts.On, host)
                : new("sendRefused", $"{host}: the server's own system does not send it {On(facts)} ({error.TrimEnd('.')}).",
                    $"{(facts.On is null ? "Name the interface in the multicast settings: without one the server needs a route to the group. " : "")}Look at the server's addresses, routes and firewall: `ip route get {facts.Group.Group}`, `nft list ruleset`.");
        var near = facts.On?.IsNear(facts.Address) ?? false;
        if (!near && facts.Others.FirstOrDefault(o => o.IsNear(facts.Address)) is { } other)
            return new("wrongInterface", $"{host}: it is in the network of the server's interface {other.Name}, and the stream is sent {On(facts)}.",
                $"Set the interface to {other.Name} in the multicast settings (PUT /api/v1/multicast/settings).");
        if (facts.On is { Up: false })
            return Down(facts.On, host);
        if (!near && facts.On is not null && facts.Ttl == 1)
            return new("ttl", $"{host}: it is in another network than the server's interface {facts.On.Name}, and with a TTL of 1 no router passes the stream on.",
                "Where multicast routing is set up between the two, raise the TTL in the multicast settings; else order machines of that network without multicast.");
        if (!near && facts.On is not null)
            return facts.NearHearers > 0 ? OneMachine(facts, host)
                : new("routing", $"{host}: it is in another network than the server's interface {facts.On.Name}, and no machine there hears the stream: the routers between the two do not pass on multicast.",
                    $"Set up multicast routing (PIM and IGMP) for {facts.Group.Group} on these routers, with a TTL above their number; else order machines of that network without multicast.");
        if (facts.NearHearers > 0 || facts.On is null && facts.FarHearers > 0)
            return OneMachine(facts, host);
        return facts.Silent > 1
            ? new("nobodyHears", $"{host}, and neither does any of the {facts.Silent} machines that tried: a switch with IGMP snooping and no querier, or a firewall on the server, holds the stream back{(facts.On is null ? ", or it leaves by the wrong interface" : "")}.",
                $"{Choose(facts)}Switch an IGMP querier on in that VLAN (`ip igmp snooping querier` on most switches) or its snooping off, and let UDP to {facts.Group.Group} out of the server's firewall; `imageforge net doctor` looks for both.")
            : new("noQuerier", $"{host}, and no other machine tells whether the stream arrives anywhere: most likely a switch with IGMP snooping and no querier holds it back, or a firewall on the server{(facts.On is null ? ", or it leaves by the wrong interface" : "")}.",
                $"{Choose(facts)}Switch an IGMP querier on in that VLAN or its snooping off, and let UDP to {facts.Group.Group} out of the server's firewall; `imageforge net doctor` looks for both.");
    }

    private static LikelyCause Down(SendInterface on, string host) =>
        new("interfaceDown", $"{host}: the server's interface {on.Name} is down.", $"Connect its cable or switch it on: `ip link set {on.Name} up`.");

    private static LikelyCause OneMachine(SilenceFacts facts, string host) => new("oneMachine",
        $"{host}, and {Machines(facts.NearHearers > 0 ? facts.NearHearers : facts.FarHearers)} in {(facts.NearHearers > 0 ? "its network" : "other networks")} {(facts.NearHearers + facts.FarHearers == 1 ? "hears" : "hear")} it: the cause is that machine's own switch or port (IGMP snooping without a querier behind an uplink, storm control, another VLAN), or it listens on another of its interfaces.",
        "Compare its switch and port with those of a machine that hears the stream, and connect only the network card that it boots from.");

    private static string Machines(int count) => count == 1 ? "one other machine" : $"{count} other machines";

    private static string On(SilenceFacts facts) => facts.On is { } on ? $"on {on.Name}" : "where the server's route to the group leads";

    private static string Choose(SilenceFacts facts) => facts.On is null ? "Name the interface in the multicast settings. " : "";
}
