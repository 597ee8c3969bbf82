using System.Text.Json.Serialization;

namespace ImageForge.Contracts;

[JsonConverter(typeof(CamelCaseEnumConverter<MulticastStart>))]
public enum MulticastStart
{
    /// <summary>Auto-cast: begins with the first machine; anyone joins at any time and gets what it missed.</summary>
    FirstHost,

    /// <summary>Scheduled-cast: waits for so many machines or so long, or until somebody says "start now".</summary>
    Scheduled,
}

/// <summary>How a deploy job wants its chunks: in one stream for all its hosts.</summary>
/// <param name="WaitForHosts">Scheduled only: machines to wait for; null: all hosts of the job.</param>
/// <param name="WaitMinutes">Scheduled only: start after so many minutes from the first machine whoever is there; null: 10.</param>
public sealed record MulticastChoice(MulticastStart Start = MulticastStart.FirstHost, int? WaitForHosts = null, int? WaitMinutes = null);

/// <summary>Tells the agent that a session carries its image: WebSocket <c>/agent/v1/deploy/multicast</c>, protocol in ImageForge.Multicast/README.md.</summary>
/// <param name="Session">Number of the session, for people.</param>
/// <param name="PatienceSeconds">Without a packet for so long after the stream began, the agent goes on over HTTP.</param>
public sealed record MulticastOffer(long Session, double PatienceSeconds = 5);
