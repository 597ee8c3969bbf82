using ImageForge.NetDoctor.DhcpServers;
using ImageForge.NetDoctor.Findings;

namespace ImageForge.NetDoctor;

/// <summary>What one run found, the worst first.</summary>
/// <param name="Seconds">How long it listened.</param>
/// <param name="DhcpServers">Every server that answered, ours too.</param>
public sealed record DoctorReport(
    DateTimeOffset StartedAt, DateTimeOffset EndedAt, double Seconds, IReadOnlyList<string> Interfaces, IReadOnlyList<Finding> Findings, IReadOnlyList<DhcpAnswer> DhcpServers)
{
    /// <summary>Everything was looked at, and nothing wants repair.</summary>
    public bool AllFine => Findings.All(static f => f.Severity is Severity.Fine or Severity.Note);
}
