using System.Globalization;
using ImageForge.Bench.Imaging;
using ImageForge.Imaging.Capture;

namespace ImageForge.Bench.Recapture;

/// <summary>The second capture of a disk that drifted, over the first: time, and what the store grew by.</summary>
internal static class RecaptureBench
{
    public static async Task<int> RunAsync(string[] args)
    {
        using var disks = new BenchDisks(args);
        Console.WriteLine($"bench recapture: 2 % of the bytes (update) or files (scatter) replaced between two captures; caches dropped before each, store durable inside the clock; {disks.Rounds} round(s)");
        await disks.WarmUpAsync();
        var totals = new Dictionary<(string Drift, string Size), Total>();
        foreach (var fileSystem in disks.FileSystems)
        {
            var disk = disks.Corpus(fileSystem);
            foreach (var byDrift in DriftCase.All(disks.ChunkSize).GroupBy(c => c.Name))
            {
                var drifted = disks.Drifted(disk, $"{fileSystem}-{byDrift.Key}", byDrift.First().Apply);
                foreach (var drift in byDrift)
                {
                    var total = new Total();
                    for (var round = 0; round < (drift.ChunkSize == disks.ChunkSize ? disks.Rounds : 1); round++)
                        total += await MeasureAsync(disks, disk, drifted, drift.ChunkSize);
                    Console.WriteLine($"  {fileSystem} {drift.Name,-7} {drift.Size,7}  {total}");
                    totals[(drift.Name, drift.Size)] = totals.GetValueOrDefault((drift.Name, drift.Size)) + total;
                }
                File.Delete(drifted.File);
            }
        }
        var aim = totals[("update", $"{disks.ChunkSize >> 10}KiB")];
        var table = string.Join(' ', totals.OrderBy(t => t.Key.Drift).Select(t => string.Create(CultureInfo.InvariantCulture, $"{t.Key.Drift}Growth{t.Key.Size}={t.Value.Growth:0.0000}")));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"bench recapture: ours={aim.Second.Seconds:0.00}s first={aim.First.Seconds:0.00}s ratio={aim.Second.Seconds / aim.First.Seconds:0.00} growth={aim.Growth:0.0000} cpuRatio={aim.Second.Processor / aim.First.Processor:0.00} scatterGrowth={totals[("scatter", $"{disks.ChunkSize >> 10}KiB")].Growth:0.0000} {table} chunkKiB={disks.ChunkSize >> 10}"));
        return 0;
    }

    private static async Task<Total> MeasureAsync(BenchDisks disks, MadeDisk disk, MadeDisk drifted, int chunkSize)
    {
        var store = disks.NewStore("store");
        Caches.Drop();
        var (first, _, _) = await Ours.CaptureAsync(disk, store, "1", new CaptureOptions(chunkSize));
        var before = store.Bytes;
        Caches.Drop();
        var (second, _, _) = await Ours.CaptureAsync(drifted, store, "2", new CaptureOptions(chunkSize));
        var total = new Total(first, second, before, store.Bytes - before);
        store.Delete();
        return total;
    }

    private readonly record struct Total(Spent First, Spent Second, long Bytes, long Grown)
    {
        public double Growth => (double)Grown / Bytes;

        public static Total operator +(Total left, Total right) => new(left.First + right.First, left.Second + right.Second, left.Bytes + right.Bytes, left.Grown + right.Grown);

        public override string ToString() => string.Create(CultureInfo.InvariantCulture,
            $"first {First.Seconds,6:0.00} s (CPU {First.Processor,5:0.0})  second {Second.Seconds,6:0.00} s (CPU {Second.Processor,5:0.0})  ratio {Second.Seconds / First.Seconds:0.00}  store {Bytes / 1e6:0} MB grows by {Grown / 1e6:0.0} MB = {Growth:0.0000}");
    }
}
