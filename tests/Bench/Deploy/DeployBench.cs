using System.Globalization;
using ImageForge.Bench.Imaging;
using ImageForge.Imaging.Capture;
using ImageForge.Imaging.Deploy;

namespace ImageForge.Bench.Deploy;

/// <summary>A full deploy onto a blank disk beside <c>zstd -dc | partclone.restore</c>: without read-back on both sides, and ours with it.</summary>
internal static class DeployBench
{
    private enum Side { Peer, Ours, Verified }

    public static async Task<int> RunAsync(string[] args)
    {
        using var disks = new BenchDisks(args);
        Console.WriteLine($"bench deploy: chunks of {disks.ChunkSize >> 10} KiB, {disks.Rounds} round(s), sides in turn, onto a disk of zeros, durable inside the clock");
        await disks.WarmUpAsync();
        var totals = new Dictionary<(Side, bool Cold), Spent>();
        var parts = new List<string>();
        foreach (var fileSystem in disks.FileSystems)
        {
            var disk = disks.Corpus(fileSystem);
            var file = disks.FileOf("peer.zst");
            Imaging.Peer.Capture(disk, file);
            var store = disks.NewStore("store");
            var (_, image, _) = await Ours.CaptureAsync(disk, store, "manifest", new CaptureOptions(disks.ChunkSize));
            var target = disk with { File = disks.FileOf("target.img") };
            var here = new Dictionary<(Side, bool Cold), Spent>();
            for (var round = 0; round <= disks.Rounds; round++)
            {
                var cold = round < disks.Rounds;
                for (var i = 0; i < 3; i++)
                {
                    var side = (Side)((round + i) % 3);
                    target.FillWithZeros();
                    if (cold)
                        Caches.Drop();
                    else
                        Warm(disks, store, file);
                    var spent = side == Side.Peer
                        ? Imaging.Peer.Restore(file, target)
                        : (await Ours.DeployAsync(image, store, target, new DeployOptions(ReadBack: side == Side.Verified))).Spent;
                    here[(side, cold)] = here.GetValueOrDefault((side, cold)) + spent;
                }
            }
            foreach (var cold in (bool[])[true, false])
                Console.WriteLine($"  {fileSystem} {(cold ? "cold" : "warm")}  {Line(here, cold)}");
            parts.Add(string.Create(CultureInfo.InvariantCulture, $"{fileSystem}={Ratio(here, Side.Ours, true):0.00}"));
            foreach (var (key, spent) in here)
                totals[key] = totals.GetValueOrDefault(key) + spent;
            store.Delete();
        }
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"bench deploy: ours={totals[(Side.Ours, true)].Seconds:0.00}s peer={totals[(Side.Peer, true)].Seconds:0.00}s ratio={Ratio(totals, Side.Ours, true):0.00} ratioVerified={Ratio(totals, Side.Verified, true):0.00} ratioWarm={Ratio(totals, Side.Ours, false):0.00} {string.Join(' ', parts)} cpuOurs={totals[(Side.Ours, true)].Processor:0.0}s cpuPeer={totals[(Side.Peer, true)].Processor:0.0}s chunkKiB={disks.ChunkSize >> 10}"));
        return 0;
    }

    /// <summary>The stored image is in memory, as on a server that has just served it; the target is not.</summary>
    private static void Warm(BenchDisks disks, LocalStore store, string file)
    {
        Caches.Drop();
        Shell.Run("bash", "-c", "cat \"$0\" > /dev/null; find \"$1\" -type f -exec cat {} + > /dev/null", file, disks.FileOf("store"));
        _ = store.Bytes;
    }

    private static double Ratio(Dictionary<(Side, bool Cold), Spent> totals, Side side, bool cold) => totals[(side, cold)].Seconds / totals[(Side.Peer, cold)].Seconds;

    private static string Line(Dictionary<(Side, bool Cold), Spent> totals, bool cold) => string.Create(CultureInfo.InvariantCulture,
        $"ours {totals[(Side.Ours, cold)].Seconds,6:0.00} s (CPU {totals[(Side.Ours, cold)].Processor,5:0.0})  peer {totals[(Side.Peer, cold)].Seconds,6:0.00} s (CPU {totals[(Side.Peer, cold)].Processor,5:0.0})  ratio {Ratio(totals, Side.Ours, cold):0.00}  with read-back {totals[(Side.Verified, cold)].Seconds,6:0.00} s = {Ratio(totals, Side.Verified, cold):0.00}");
}
