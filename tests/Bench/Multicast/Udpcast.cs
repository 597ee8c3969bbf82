using System.Diagnostics;
using ImageForge.Lab.Networks;

namespace ImageForge.Bench.Multicast;

/// <summary>The peer: udp-sender and udp-receiver as FOG and Clonezilla call them, the file to nowhere.</summary>
internal static class Udpcast
{
    /// <summary>Seconds from the sender's start, when the receivers are waiting already, to the end of the last receiver.</summary>
    public static async Task<double> RunAsync(MulticastRoom room, string file, int receivers, int perMille)
    {
        foreach (var ns in room.Receivers.Take(receivers))
            await MulticastRoom.LoseAsync(ns, perMille);
        var waiting = room.Receivers.Take(receivers)
            .Select(ns => LabNetwork.StartIn(ns, "udp-receiver", ["--nokbd", "--no-progress", "--interface", "eth0", "--portbase", "9100", "--file", "/dev/null"])).ToList();
        try
        {
            foreach (var process in waiting)
                Drain(process);
            await Task.Delay(500);
            var clock = Stopwatch.StartNew();
            using var sender = LabNetwork.StartIn(room.Sender, "udp-sender",
                ["--nokbd", "--no-progress", "--interface", "eth0", "--portbase", "9100", "--min-receivers", $"{receivers}", "--full-duplex", "--ttl", "1", "--file", file]);
            Drain(sender);
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(240));
            foreach (var process in waiting)
                await process.WaitForExitAsync(patience.Token);
            var seconds = clock.Elapsed.TotalSeconds;
            await sender.WaitForExitAsync(patience.Token);
            return waiting.TrueForAll(process => process.ExitCode == 0) && sender.ExitCode == 0
                ? seconds
                : throw new InvalidOperationException("void: udpcast failed");
        }
        finally
        {
            foreach (var process in waiting)
            {
                if (!process.HasExited)
                    process.Kill();
                process.Dispose();
            }
            foreach (var ns in room.Receivers.Take(receivers))
                await MulticastRoom.LoseAsync(ns, 0);
        }
    }

    /// <summary>What nobody reads stops a program that says much.</summary>
    private static void Drain(Process process)
    {
        process.OutputDataReceived += static (_, _) => { };
        process.ErrorDataReceived += static (_, _) => { };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }
}
