using System.Globalization;
using ImageForge.Cli.Output;
using ImageForge.NetDoctor;
using ImageForge.NetDoctor.DhcpServers;
using ImageForge.NetDoctor.Findings;

namespace ImageForge.Cli.Net;

/// <summary>The report for people: what wants repair with its cure first, then a line each for the rest.</summary>
internal static class DoctorText
{
    public static void Print(DoctorReport report, TextWriter output)
    {
        foreach (var finding in report.Findings.Where(static f => f.Severity is not (Severity.Fine or Severity.Note)))
        {
            output.WriteLine(Tables.Printable($"{Word(finding.Severity)}: {finding.Sentence} [{(finding.Interface is { } on ? $"{on}: " : "")}{finding.Measured}]"));
            if (finding.Cure is { } cure)
                output.WriteLine(Tables.Printable($"  {cure}"));
        }
        var rest = report.Findings.Where(static f => f.Severity is Severity.Fine or Severity.Note).ToList();
        if (rest.Count > 0)
            Tables.Print(output, [("", false), ("interface", false), ("measured", false), ("", false)],
                [.. rest.Select(static f => new[] { Word(f.Severity), f.Interface ?? "", f.Measured, f.Cure is null ? f.Sentence : $"{f.Sentence} {f.Cure}" })]);
        if (report.DhcpServers.Count > 0)
            Tables.Print(output, [("server", false), ("asked as", false), ("gives", false), ("boot file", false), ("next server", false), ("option 66", false), ("option 60", false), ("option 43", false)],
                [.. report.DhcpServers.Select(Row)]);
        string Count(Severity severity, string what) => report.Findings.Count(f => f.Severity == severity) is var n && n == 1 ? $"1 {what}" : $"{n} {what}s";
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{Count(Severity.Problem, "problem")}, {Count(Severity.Warning, "warning")}, {report.Findings.Count(static f => f.Severity == Severity.NotChecked)} not checked, in {report.Seconds:0} s on {string.Join(", ", report.Interfaces)}"));
    }

    private static string[] Row(DhcpAnswer a) =>
    [
        a.Ours ? $"{a.Server} (ours)" : a.Server,
        a.Asked switch { AskedAs.Plain => "a machine", AskedAs.Bios => "BIOS", AskedAs.Uefi => "UEFI", _ => "UEFI, port 4011" },
        a.OfferedAddress ?? "-", a.BootFile ?? "-", a.NextServer ?? "-", a.TftpServer ?? "-", a.VendorClass ?? "-", a.VendorOptions ?? "-",
    ];

    private static string Word(Severity severity) => severity == Severity.NotChecked ? "not checked" : severity.ToString().ToLowerInvariant();
}
