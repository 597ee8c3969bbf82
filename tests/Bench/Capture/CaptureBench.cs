using System.Globalization;
using ImageForge.Bench.Imaging;
using ImageForge.Imaging.Capture;

namespace ImageForge.Bench.Capture;

/// <summary>A first capture into an empty store beside <c>partclone -c | zstd -3 -T0</c> into a file, from and to the same disk.</summary>
internal static class CaptureBench
{
    public static async Task<int> RunAsync(string[] args)
    {
        using var disks = new BenchDisks(args);
        Console.WriteLine($"bench capture: chunks of {disks.ChunkSize >> 10} KiB, {disks.Rounds} round(s), sides in turn, store and file durable inside the clock");
        await disks.WarmUpAsync();
        Total cold = new(), warm = new();
        var parts = new List<string>();
        foreach (var fileSystem in disks.FileSystems)
        {
            var disk = disks.Corpus(fileSystem);
            Total ours = new(), warmOurs = new();
            for (var round = 0; round < disks.Rounds; round++)
                ours += await MeasureAsync(disks, disk, round, cold: true);
            warmOurs += await MeasureAsync(disks, disk, disks.Rounds, cold: false);
            Console.WriteLine($"  {fileSystem} cold  {ours}");
            Console.WriteLine($"  {fileSystem} warm  {warmOurs}");
            parts.Add(string.Create(CultureInfo.InvariantCulture, $"{fileSystem}={ours.Ratio:0.00} {fileSystem}Size={ours.SizeRatio:0.00}"));
            (cold, warm) = (cold + ours, warm + warmOurs);
        }
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"bench capture: ours={cold.Ours.Seconds:0.00}s peer={cold.Peer.Seconds:0.00}s ratio={cold.Ratio:0.00} sizeRatio={cold.SizeRatio:0.00} ratioWarm={warm.Ratio:0.00} {string.Join(' ', parts)} cpuOurs={cold.Ours.Processor:0.0}s cpuPeer={cold.Peer.Processor:0.0}s chunkKiB={disks.ChunkSize >> 10}"));
        return 0;
    }

    private static async Task<Total> MeasureAsync(BenchDisks disks, MadeDisk disk, int round, bool cold)
    {
        Spent ours = default, peer = default;
        long oursBytes = 0, peerBytes = 0;
        for (var side = 0; side < 2; side++)
        {
            if (cold)
                Caches.Drop();
            else
                Caches.Settle();
            if ((round + side) % 2 == 0)
            {
                var file = disks.FileOf("peer.zst");
                peer = Peer.Capture(disk, file);
                peerBytes = new FileInfo(file).Length;
                File.Delete(file);
            }
            else
            {
                var store = disks.NewStore("store");
                (ours, _, _) = await Ours.CaptureAsync(disk, store, "manifest", new CaptureOptions(disks.ChunkSize));
                oursBytes = store.Bytes;
                store.Delete();
            }
        }
        return new Total(ours, peer, oursBytes, peerBytes);
    }

    private readonly record struct Total(Spent Ours, Spent Peer, long OursBytes, long PeerBytes)
    {
        public double Ratio => Ours.Seconds / Peer.Seconds;
        public double SizeRatio => (double)OursBytes / PeerBytes;

        public static Total operator +(Total left, Total right) =>
            new(left.Ours + right.Ours, left.Peer + right.Peer, left.OursBytes + right.OursBytes, left.PeerBytes + right.PeerBytes);

        public override string ToString() => string.Create(CultureInfo.InvariantCulture,
            $"ours {Ours.Seconds,6:0.00} s (CPU {Ours.Processor,5:0.0})  peer {Peer.Seconds,6:0.00} s (CPU {Peer.Processor,5:0.0})  ratio {Ratio:0.00}  stored {OursBytes / 1e6:0} / {PeerBytes / 1e6:0} MB = {SizeRatio:0.000}");
    }
}
