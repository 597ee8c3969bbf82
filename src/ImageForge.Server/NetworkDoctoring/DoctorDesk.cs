using System.Globalization;
using ImageForge.NetDoctor;
using ImageForge.NetDoctor.Findings;
using ImageForge.Server.Events;

namespace ImageForge.Server.NetworkDoctoring;

/// <summary>Runs the doctor; tests put their own in its place.</summary>
internal delegate Task<DoctorReport> DoctorRun(DoctorOrder order, CancellationToken cancellationToken);

/// <param name="StartedBy">Who asked for it.</param>
internal sealed record DoctorAnswer(string StartedBy, DoctorReport Report);

/// <summary>One run at a time: two would hear each other's questions. The last report is kept in memory.</summary>
internal sealed class DoctorDesk(DoctorRun run, EventLog events, IHostApplicationLifetime lifetime)
{
    private readonly Lock _lock = new();
    private Task<DoctorAnswer>? _current;

    /// <summary>Null: there was none since the server started.</summary>
    public DoctorAnswer? Last { get; private set; }

    /// <summary>Null: one is under way. A caller who hangs up does not end it; the report is there for the next who asks.</summary>
    public Task<DoctorAnswer>? TryStart(DoctorOrder order, string by)
    {
        lock (_lock)
        {
            if (_current is { IsCompleted: false })
                return null;
            return _current = Task.Run(() => RunAsync(order, by));
        }
    }

    private async Task<DoctorAnswer> RunAsync(DoctorOrder order, string by)
    {
        var report = await run(order, lifetime.ApplicationStopping);
        var answer = new DoctorAnswer(by, report);
        Last = answer;
        int Count(Severity severity) => report.Findings.Count(f => f.Severity == severity);
        var worst = report.Findings.FirstOrDefault(static f => f.Severity is Severity.Problem or Severity.Warning);
        await events.RecordAsync("networkDoctor", string.Join(", ", report.Interfaces), string.Create(CultureInfo.InvariantCulture,
            $"{by} had the network examined: {Count(Severity.Problem)} problems, {Count(Severity.Warning)} warnings, {Count(Severity.NotChecked)} not checked.{(worst is null ? "" : $" {worst.Sentence}")}"), CancellationToken.None);
        return answer;
    }
}
