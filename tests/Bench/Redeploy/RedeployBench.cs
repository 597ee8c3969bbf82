using System.Globalization;
using ImageForge.Bench.Imaging;
using ImageForge.Imaging.Capture;
using ImageForge.Imaging.Deploy;

namespace ImageForge.Bench.Redeploy;

/// <summary>
/// An image onto the disk that drifted away from it, over the same image onto a blank disk: time, and share of the bytes fetched.
/// <c>ratio</c> is for the deploy as it is by default, read back on both sides; <c>ratioUnverified</c> leaves the read-back out on both.
/// </summary>
internal static class RedeployBench
{
    public static async Task<int> RunAsync(string[] args)
    {
        using var disks = new BenchDisks(args);
        Console.WriteLine($"bench redeploy: onto a disk that drifted by 2 % of the bytes (update) or files (scatter); caches dropped before each, target durable inside the clock; {disks.Rounds} round(s)");
        await disks.WarmUpAsync();
        var totals = new Dictionary<(string Drift, string Size), Total>();
        foreach (var fileSystem in disks.FileSystems)
        {
            var disk = disks.Corpus(fileSystem);
            foreach (var bySize in DriftCase.All(disks.ChunkSize).GroupBy(c => c.ChunkSize))
            {
                var store = disks.NewStore("store");
                var (_, image, _) = await Ours.CaptureAsync(disk, store, "manifest", new CaptureOptions(bySize.Key));
                foreach (var drift in bySize)
                {
                    var total = new Total();
                    for (var round = 0; round < (drift.ChunkSize == disks.ChunkSize ? disks.Rounds : 1); round++)
                        total += await MeasureAsync(disks, disk, store, image, drift);
                    Console.WriteLine($"  {fileSystem} {drift.Name,-7} {drift.Size,7}  {total}");
                    totals[(drift.Name, drift.Size)] = totals.GetValueOrDefault((drift.Name, drift.Size)) + total;
                }
                store.Delete();
            }
        }
        var own = $"{disks.ChunkSize >> 10}KiB";
        var aim = totals[("update", own)];
        var table = string.Join(' ', totals.OrderBy(t => t.Key.Drift).Select(t => string.Create(CultureInfo.InvariantCulture, $"{t.Key.Drift}Fetched{t.Key.Size}={t.Value.Share:0.0000}")));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"bench redeploy: ours={aim.AgainVerified.Seconds:0.00}s full={aim.FullVerified.Seconds:0.00}s ratio={aim.RatioVerified:0.00} ratioUnverified={aim.Ratio:0.00} fetched={aim.Share:0.0000} cpuRatio={aim.Again.Processor / aim.Full.Processor:0.00} scatterFetched={totals[("scatter", own)].Share:0.0000} {table} chunkKiB={disks.ChunkSize >> 10}"));
        return 0;
    }

    private static async Task<Total> MeasureAsync(BenchDisks disks, MadeDisk disk, LocalStore store, CaptureResult image, DriftCase drift)
    {
        var total = new Total();
        foreach (var readBack in (bool[])[false, true])
        {
            var target = disk with { File = disks.FileOf("target.img") };
            target.FillWithZeros();
            Caches.Drop();
            var full = await Ours.DeployAsync(image, store, target, new DeployOptions(readBack));
            // The disk that now holds the image is used for a while.
            target.Mounted(root => drift.Apply(root), trim: true);
            Caches.Drop();
            var again = await Ours.DeployAsync(image, store, target, new DeployOptions(readBack));
            total += readBack
                ? new Total(default, default, full.Spent, again.Spent, 0, 0)
                : new Total(full.Spent, again.Spent, default, default, full.Progress.BytesFetched, again.Progress.BytesFetched);
        }
        return total;
    }

    private readonly record struct Total(Spent Full, Spent Again, Spent FullVerified, Spent AgainVerified, long Bytes, long Fetched)
    {
        public double Share => (double)Fetched / Bytes;
        public double Ratio => Again.Seconds / Full.Seconds;
        public double RatioVerified => AgainVerified.Seconds / FullVerified.Seconds;

        public static Total operator +(Total left, Total right) => new(left.Full + right.Full, left.Again + right.Again,
            left.FullVerified + right.FullVerified, left.AgainVerified + right.AgainVerified, left.Bytes + right.Bytes, left.Fetched + right.Fetched);

        public override string ToString() => string.Create(CultureInfo.InvariantCulture,
            $"full {Full.Seconds,6:0.00} s (CPU {Full.Processor,5:0.0})  again {Again.Seconds,6:0.00} s (CPU {Again.Processor,5:0.0})  ratio {Ratio:0.00}  with read-back {FullVerified.Seconds:0.00} s, {AgainVerified.Seconds:0.00} s = {RatioVerified:0.00}  fetched {Fetched / 1e6:0.0} of {Bytes / 1e6:0} MB = {Share:0.0000}");
    }
}
