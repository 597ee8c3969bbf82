using System.Diagnostics;
using System.Net;

namespace ImageForge.Bench.Tftp;

/// <summary>Our TFTP server beside dnsmasq's: same files, same clients, in turn, each server in a process of its own.</summary>
internal static class TftpBench
{
    private const int BlockSize = 1432, Window = 16, OurPort = 6969;

    /// <param name="Repeats">Downloads one after another that make one measurement; a single short one would be noise.</param>
    private sealed record Case(string File, int MiB, int Clients, int Repeats)
    {
        public override string ToString() => $"{MiB} MiB x {Clients}";
    }

    public static async Task<int> RunAsync(string[] args)
    {
        if (!args.Contains("--inside"))
            return await InOwnNetworkAsync(args);

        var quick = args.Contains("--quick");
        var rounds = quick ? 1 : 3;
        Case[] cases = [new("small", 1, 1, 20), new("large", 30, 1, 1), new("small", 1, 100, 3), new("large", 30, quick ? 20 : 100, 1)];
        var folder = Directory.CreateTempSubdirectory("imageforge-bench-");
        try
        {
            var files = new Dictionary<string, byte[]>();
            foreach (var (name, size) in new[] { ("small", 1), ("large", 30) })
            {
                files[name] = new byte[size << 20];
                new Random(size).NextBytes(files[name]);
                await File.WriteAllBytesAsync(Path.Combine(folder.FullName, name), files[name]);
            }
            // dnsmasq drops root and must still reach them.
            File.SetUnixFileMode(folder.FullName, (UnixFileMode)0b111_101_101);

            using var peer = Start("dnsmasq", "--no-daemon", "--conf-file=/dev/null", "--port=0", "--enable-tftp", $"--tftp-root={folder.FullName}",
                "--tftp-max=200", "--listen-address=127.0.0.1", "--bind-interfaces", "--quiet-tftp", "--log-facility=/dev/null", "--user=root", "--pid-file=");
            using var ours = Start(Self[0], [.. Self[1..], "serve-tftp", folder.FullName, $"{OurPort}"]);
            try
            {
                // Ours says that it listens; dnsmasq says nothing on standard output.
                await ours.StandardOutput.ReadLineAsync();
                return Measure(cases, rounds, files, ours, peer);
            }
            finally
            {
                peer.Kill();
                ours.Kill();
            }
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static int Measure(Case[] cases, int rounds, Dictionary<string, byte[]> files, Process oursProcess, Process peerProcess)
    {
        Console.WriteLine($"TFTP over loopback, files in the page cache, blksize {BlockSize}, clients and each server in processes of their own; median of {rounds} round(s), the servers in turn.");
        var us = new IPEndPoint(IPAddress.Loopback, OurPort);
        var dnsmasq = new IPEndPoint(IPAddress.Loopback, 69);
        double oursTotal = 0, peerTotal = 0, windowTotal = 0;
        foreach (var c in cases)
        {
            List<double> ours = [], peer = [], window = [];
            var cpu = new Dictionary<List<double>, double> { [ours] = 0, [peer] = 0, [window] = 0 };
            for (var round = -1; round < rounds; round++)
            {
                // Round -1 warms both sides up on the small file (page cache, our JIT) and is not counted.
                var warmUp = round < 0;
                var measured = warmUp ? c with { File = "small", Clients = 1, Repeats = 20 } : c;
                foreach (var (server, times, blocks) in new[] { (dnsmasq, peer, 1), (us, ours, 1), (us, window, Window) })
                {
                    var process = server == us ? oursProcess : peerProcess;
                    var before = Cpu(process);
                    if (Seconds(server, measured, files[measured.File], blocks) is not { } seconds)
                    {
                        Console.WriteLine($"void: a transfer of {c} from {(server == us ? "ours" : "dnsmasq")} failed");
                        return 1;
                    }
                    if (warmUp)
                        continue;
                    times.Add(seconds);
                    cpu[times] += (Cpu(process) - before) / rounds / c.Repeats;
                }
            }
            var (o, p, w) = (Median(ours), Median(peer), Median(window));
            Console.WriteLine($"{c,-12} ours {o,7:F3} s (server CPU {cpu[ours]:F3})   dnsmasq {p,7:F3} s ({cpu[peer]:F3})   ratio {o / p:F2}   ours, window {Window}: {w,7:F3} s ({cpu[window]:F3})   ratio {w / p:F2}");
            (oursTotal, peerTotal, windowTotal) = (oursTotal + o, peerTotal + p, windowTotal + w);
        }
        Console.WriteLine("The totals are the sums of the four medians, so the largest case weighs most.");
        Console.WriteLine($"bench tftp: ours={oursTotal:F2}s peer={peerTotal:F2}s ratio={oursTotal / peerTotal:F3} ratioWindow={windowTotal / peerTotal:F3} window={Window} blksize={BlockSize} rounds={rounds}");
        return 0;
    }

    /// <summary>Seconds per download (or per round of simultaneous ones).</summary>
    private static double? Seconds(IPEndPoint server, Case c, byte[] expected, int window)
    {
        var total = 0.0;
        for (var i = 0; i < c.Repeats; i++)
        {
            if (TftpClients.Run(server, c.File, expected, c.Clients, BlockSize, window) is not { } seconds)
                return null;
            total += seconds;
        }
        return total / c.Repeats;
    }

    private static double Cpu(Process process)
    {
        process.Refresh();
        return process.TotalProcessorTime.TotalSeconds;
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);

    /// <summary>A network namespace of its own: dnsmasq insists on port 69, and nothing of the machine is touched. No root needed where user namespaces are allowed.</summary>
    private static async Task<int> InOwnNetworkAsync(string[] args)
    {
        if (!File.Exists("/usr/sbin/dnsmasq"))
        {
            Console.Error.WriteLine("bench tftp needs dnsmasq to compare with: apt-get install dnsmasq-base");
            return 2;
        }
        var start = new ProcessStartInfo("unshare");
        foreach (var argument in (string[])["-r", "-n", "sh", "-c", "ip link set lo up && exec \"$@\"", "sh",
            .. Self, "tftp", "--inside", .. args])
            start.ArgumentList.Add(argument);
        using var process = Process.Start(start)!;
        await process.WaitForExitAsync();
        return process.ExitCode;
    }

    /// <summary>This program again, whether it was started by its own host or by <c>dotnet Bench.dll</c>.</summary>
    private static string[] Self => Path.GetFileName(Environment.ProcessPath) == "dotnet"
        ? [Environment.ProcessPath!, Environment.GetCommandLineArgs()[0]]
        : [Environment.ProcessPath!];

    private static Process Start(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        var process = Process.Start(start)!;
        // dnsmasq writes a line per file even with --quiet-tftp, and stands still for ever when nobody reads them.
        process.ErrorDataReceived += static (_, _) => { };
        process.BeginErrorReadLine();
        return process;
    }
}
