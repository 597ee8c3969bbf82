using System.Diagnostics;
using System.Globalization;

namespace ImageForge.Cli.Tests;

/// <summary>What the engine needs does not grow with the disk: the whole program, its highest resident size told by the kernel.</summary>
public sealed class EngineMemoryTests : IDisposable
{
    private const int LimitKiB = 150 << 10;

    private readonly Scratch _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public async Task A_disk_of_4_TB_is_captured_and_deployed_within_150_MB()
    {
        var disk = _scratch["disk"];
        var target = _scratch["target"];
        // 4 TB of 4 KiB clusters: the volume's bitmap alone has 128 MiB.
        await _scratch.ShellAsync("truncate -s 4096G disk; truncate -s 4096G target; mkntfs -Q -F -q disk 2> /dev/null");

        Assert.InRange(await PeakKiBAsync("disk", "capture", disk, "-i", "large", "-s", _scratch.Store), 10 << 10, LimitKiB);
        Assert.InRange(await PeakKiBAsync("disk", "deploy", "large:1", target, "-s", _scratch.Store, "--yes"), 10 << 10, LimitKiB);

        var info = await _scratch.ShellAsync("ntfsinfo -m -f target 2>&1 | grep -i 'volume size in clusters'");
        Assert.Contains("1073741823", info, StringComparison.Ordinal);
    }

    private static async Task<int> PeakKiBAsync(params string[] arguments)
    {
        using var program = Process.Start(new ProcessStartInfo(Cli.Program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var output = program.StandardOutput.ReadToEndAsync();
        var errors = program.StandardError.ReadToEndAsync();
        var peak = 0;
        // The kernel keeps the high-water mark, but only as long as the process has memory.
        while (!program.WaitForExit(TimeSpan.FromMilliseconds(20)))
            if (HighWater(program.Id) is { } seen)
                peak = Math.Max(peak, seen);
        Assert.True(program.ExitCode == 0, await output + await errors);
        return peak;
    }

    private static int? HighWater(int process)
    {
        try
        {
            var line = File.ReadLines($"/proc/{process}/status").FirstOrDefault(l => l.StartsWith("VmHWM:", StringComparison.Ordinal));
            return line is null ? null : int.Parse(line["VmHWM:".Length..^"kB".Length], CultureInfo.InvariantCulture);
        }
        catch (IOException)
        {
            return null;
        }
    }
}
