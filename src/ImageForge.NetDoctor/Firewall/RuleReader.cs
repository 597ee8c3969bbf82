using System.ComponentModel;
using System.Diagnostics;
using System.Text.Json;
using ImageForge.NetDoctor.Kernel;

namespace ImageForge.NetDoctor.Firewall;

/// <param name="Rules">Null: they could not be read.</param>
/// <param name="Why">Then this is why, and <paramref name="Cure"/> what to do.</param>
internal sealed record FirewallReading(Ruleset? Rules, string? Why, string? Cure)
{
    /// <summary>Tables of the old kernel interface, which nft does not show.</summary>
    public IReadOnlyList<string> LegacyTables { get; init; } = [];
}

/// <summary>Runs <c>nft -j list ruleset</c>, without a shell.</summary>
internal static class RuleReader
{
    private static readonly string[] s_folders = ["/usr/sbin", "/sbin", "/usr/bin", "/usr/local/sbin"];

    public static async Task<FirewallReading> ReadAsync(CancellationToken cancellationToken)
    {
        var legacy = (KernelFile.Read("/proc/self/net/ip_tables_names") ?? "").Split('\n', StringSplitOptions.RemoveEmptyEntries);
        return await RunAsync(cancellationToken) with { LegacyTables = legacy };
    }

    private static async Task<FirewallReading> RunAsync(CancellationToken cancellationToken)
    {
        var program = s_folders.Select(static f => Path.Combine(f, "nft")).FirstOrDefault(File.Exists);
        if (program is null)
            return new FirewallReading(null, "the program nft is not there", "apt-get install nftables, then run the doctor again.");
        if (!Environment.IsPrivilegedProcess)
            return new FirewallReading(null, "only root may read the rules", "Run the doctor as root.");
        try
        {
            using var nft = Process.Start(new ProcessStartInfo(program, ["-j", "list", "ruleset"]) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false })!;
            var (output, errors) = (nft.StandardOutput.ReadToEndAsync(cancellationToken), nft.StandardError.ReadToEndAsync(cancellationToken));
            await nft.WaitForExitAsync(cancellationToken);
            return nft.ExitCode == 0
                ? new FirewallReading(Ruleset.Parse(await output), null, null)
                : new FirewallReading(null, $"nft says: {(await errors).Split('\n')[0]}", "Run nft -j list ruleset by hand and see what it lacks.");
        }
        catch (Exception e) when (e is Win32Exception or JsonException or IOException)
        {
            return new FirewallReading(null, $"the rules cannot be read: {e.Message}", "Run nft -j list ruleset by hand and see what it says.");
        }
    }
}
