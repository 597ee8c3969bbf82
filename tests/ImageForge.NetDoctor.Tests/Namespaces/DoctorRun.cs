using System.Text.Json;
using ImageForge.Lab;
using ImageForge.Lab.Networks;
using ImageForge.NetDoctor.DhcpServers;
using ImageForge.NetDoctor.Findings;

namespace ImageForge.NetDoctor.Tests.Namespaces;

/// <summary>The command line, run inside a namespace, and its report.</summary>
internal sealed record DoctorRun(int ExitCode, DoctorReport Report)
{
    private static readonly string s_program = Path.Combine(AppContext.BaseDirectory, "imageforge");

    public static Task<DoctorRun> InAsync(string ns, params string[] arguments) => WithAsync(ns, [], arguments);

    /// <param name="wrapper">A program that starts the doctor with fewer rights.</param>
    public static async Task<DoctorRun> WithAsync(string ns, string[] wrapper, params string[] arguments)
    {
        string[] line = [.. wrapper, s_program, "net", "doctor", "--seconds", "4", "-o", "json", .. arguments];
        var result = await LabNetwork.TryInAsync(ns, line[0], line[1..]);
        Assert.True(result.ExitCode is 0 or 1, $"ended with {result.ExitCode}: {result.All}");
        return new DoctorRun(result.ExitCode, JsonSerializer.Deserialize(result.Output, DoctorJson.Default.DoctorReport)!);
    }

    /// <summary>Exactly one finding of that code, with the severity; everything found is in the message when not.</summary>
    public Finding Has(Severity severity, string code, string? on = null)
    {
        var found = Report.Findings.Where(f => f.Code == code && (on is null || f.Interface == on)).ToList();
        Assert.True(found.Count == 1 && found[0].Severity == severity, $"no single {severity} {code}; found: {All}");
        if (severity is Severity.Problem or Severity.Warning or Severity.NotChecked)
            Assert.False(string.IsNullOrWhiteSpace(found[0].Cure), $"{code} has no cure");
        return found[0];
    }

    public void HasNot(string code) => Assert.True(Report.Findings.All(f => f.Code != code), $"{code} was found: {All}");

    public DhcpAnswer Answer(string server, AskedAs asked) => Assert.Single(Report.DhcpServers, a => a.Server == server && a.Asked == asked);

    private string All => string.Join("\n", Report.Findings.Select(f => $"{f.Severity} {f.Code} {f.Interface} [{f.Measured}] {f.Sentence}"));
}

/// <summary>A test that makes network namespaces.</summary>
internal sealed class NeedsRootFact : FactAttribute
{
    public NeedsRootFact() => Skip = Environment.IsPrivilegedProcess ? null : "makes network namespaces: run as root";
}
