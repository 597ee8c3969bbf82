using System.Globalization;
using ImageForge.Bench.Imaging;
using ImageForge.Imaging.Capture;

namespace ImageForge.Bench.Store;

/// <summary>Five versions, each an update on the last, and three siblings with a tenth of files of their own: one store beside full images.</summary>
internal static class StoreBench
{
    private const int Versions = 5, Siblings = 3, OwnPercent = 10;

    public static async Task<int> RunAsync(string[] args)
    {
        using var disks = new BenchDisks(args);
        Console.WriteLine($"bench store: {Versions} versions, each with 2 % of the bytes updated, and {Siblings} siblings with {OwnPercent} % of files of their own; chunks of {disks.ChunkSize >> 10} KiB");
        long oursBytes = 0, peerBytes = 0;
        foreach (var fileSystem in disks.FileSystems)
        {
            var store = disks.NewStore("store");
            var corpus = disks.Corpus(fileSystem);
            var version = corpus.CopyTo(disks.FileOf("version.img"));
            for (var i = 0; i < Versions; i++)
            {
                if (i > 0)
                    version.Mounted(root => Drift.Update(root, i));
                peerBytes += await AddAsync(disks, version, store, $"{fileSystem} version {i + 1}");
            }
            File.Delete(version.File);
            for (var i = 0; i < Siblings; i++)
            {
                var sibling = corpus.CopyTo(disks.FileOf("sibling.img"));
                sibling.Mounted(root => Drift.OwnFiles(root, OwnPercent, 100 + i));
                peerBytes += await AddAsync(disks, sibling, store, $"{fileSystem} sibling {i + 1}");
            }
            oursBytes += store.Bytes;
            store.Delete();
        }
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"bench store: ours={oursBytes / 1e6:0}MB peer={peerBytes / 1e6:0}MB ratio={(double)oursBytes / peerBytes:0.000} images={(Versions + Siblings) * disks.FileSystems.Length} chunkKiB={disks.ChunkSize >> 10}"));
        return 0;
    }

    private static async Task<long> AddAsync(BenchDisks disks, MadeDisk disk, LocalStore store, string name)
    {
        var before = store.Bytes;
        await Ours.CaptureAsync(disk, store, name.Replace(' ', '-'), new CaptureOptions(disks.ChunkSize));
        var file = disks.FileOf("peer.zst");
        Peer.Capture(disk, file);
        var bytes = new FileInfo(file).Length;
        File.Delete(file);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {name}: the store grows by {(store.Bytes - before) / 1e6:0.0} MB, a full image has {bytes / 1e6:0.0} MB"));
        return bytes;
    }
}
