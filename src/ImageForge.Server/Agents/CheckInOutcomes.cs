using ImageForge.Contracts;
using ImageForge.Server.Hosts;

namespace ImageForge.Server.Agents;

/// <summary>What came of a check-in.</summary>
internal abstract record CheckInAnswer
{
    /// <param name="Replay">The answer was given before and is repeated.</param>
    public sealed record Accepted(CheckInResponse Response, Host Host, MacAddress Mac, bool Replay) : CheckInAnswer;

    /// <param name="Status">HTTP status.</param>
    /// <param name="Subject">For the event: the host's name, or the MAC; null: nothing people need to see.</param>
    /// <param name="Mac">Of the boot token; null when that is unknown.</param>
    public sealed record Refused(int Status, Failure Failure, string? Subject, MacAddress? Mac) : CheckInAnswer;
}
