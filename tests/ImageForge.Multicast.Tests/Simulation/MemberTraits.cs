namespace ImageForge.Multicast.Tests.Simulation;

/// <summary>What kind of machine a simulated member is. Times are seconds, rates bytes per second.</summary>
/// <param name="Loss">Share of packets that the network loses on the way to it, each by itself.</param>
/// <param name="Disk">What its disk takes; 0: whatever comes.</param>
/// <param name="JoinAt">Comes when so much of the first pass was sent, 0 to 1.</param>
/// <param name="PauseAt">Stands still from then, if above 0.</param>
/// <param name="DieAt">Is switched off then, if above 0, and comes back empty after <paramref name="BackAfter"/>.</param>
internal sealed record MemberTraits(
    double Loss = 0,
    double Disk = 0,
    double JoinAt = 0,
    double PauseAt = 0,
    double PauseFor = 0,
    double DieAt = 0,
    double BackAfter = 0,
    double Delay = 0.0005,
    double Jitter = 0.0002);
