using System.Diagnostics;
using ImageForge.Lab.Networks;

namespace ImageForge.Bench.Multicast;

/// <summary>The peer: udp-sender and udp-receiver as FOG and Clonezilla call them, the file to nowhere.</summary>
internal static class Udpcast
{
    /// <summary>As below; a run in which it gave up is told and does not count.</summary>
    public static async Task<double> RunAsync(MulticastRoom room, string file, int receivers, int perMille)
    {
        for (var attempt = 0; attempt < 3; attempt++)
        {
            if (await TryRunAsync(room, file, receivers, perMille) is { } seconds)
                return seconds;
            Console.WriteLine("udpcast did not bring the file to every receiver; it runs again");
        }
        throw new InvalidOperationException("void: udpcast failed three times");
    }

    /// <summary>Seconds from the sender's start, when the receivers are waiting already, to the end of the last receiver; null: somebody gave up.</summary>
    private static async Task<double?> TryRunAsync(MulticastRoom room, string file, int receivers, int perMille)
    {
        foreach (var ns in room.Receivers.Take(receivers))
            await MulticastRoom.LoseAsync(ns, perMille);
        var processes = room.Receivers.Take(receivers)
            .Select(ns => LabNetwork.StartIn(ns, "udp-receiver", ["--nokbd", "--no-progress", "--interface", "eth0", "--portbase", "9100", "--file", "/dev/null"])).ToList();
        try
        {
            foreach (var process in processes)
                Drain(process);
            await Task.Delay(500);
            var clock = Stopwatch.StartNew();
            var sender = LabNetwork.StartIn(room.Sender, "udp-sender",
                ["--nokbd", "--no-progress", "--interface", "eth0", "--portbase", "9100", "--min-receivers", $"{receivers}", "--full-duplex", "--ttl", "1", "--file", file]);
            processes.Add(sender);
            Drain(sender);
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(120));
            foreach (var process in processes.Take(receivers))
                await process.WaitForExitAsync(patience.Token);
            var seconds = clock.Elapsed.TotalSeconds;
            await sender.WaitForExitAsync(patience.Token);
            return processes.TrueForAll(process => process.ExitCode == 0)
                ? seconds
                : null;
        }
        catch (OperationCanceledException)
        {
            return null;
        }
        finally
        {
            foreach (var process in processes)
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
