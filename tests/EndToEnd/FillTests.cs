using System.Text.Json.Nodes;
using ImageForge.Contracts;
using ImageForge.Lab;
using ImageForge.Lab.Disks;
using ImageForge.Lab.Servers;

namespace ImageForge.EndToEnd;

/// <summary>A deploy onto a larger disk: the live image's own tools grow a file system there, and what lies behind it is moved.</summary>
public sealed class FillTests
{
    private const long Mib = 1 << 20;
    private const long More = 256 * Mib;

    /// <summary>The source's last partition ends 886 MiB into its 1024; the second partition table takes a part of the last MiB.</summary>
    private const long Gain = 1024 * Mib + More - (886 + 1) * Mib;

    [Fact]
    public async Task A_larger_disk_is_filled_by_ext4_and_the_ntfs_behind_it_moves()
    {
        var (root, data) = await FillAsync("fill-ext4", growVolume: 3);
        await Command.RunAsync("e2fsck", "-fn", root);
        await Command.RunAsync("ntfsfix", "-n", data);
        Assert.Contains($"{(420 * Mib + Gain) / 4096}", (await Command.TryAsync("dumpe2fs", "-h", root)).Output, StringComparison.Ordinal);
    }

    [Fact]
    [Trait("form", "long")]
    public async Task A_larger_disk_is_filled_by_ntfs()
    {
        var (_, data) = await FillAsync("fill-ntfs", growVolume: null);
        await Command.RunAsync("ntfsfix", "-n", data);
        Assert.Contains("Current volume size: ", (await Command.TryAsync("ntfsresize", "--info", "--force", data)).All, StringComparison.Ordinal);
        Assert.Equal(400 * Mib + Gain, new FileInfo(data).Length);
    }

    /// <returns>Partitions 3 and 4 of the filled disk as files.</returns>
    private static async Task<(string Root, string Data)> FillAsync(string name, int? growVolume)
    {
        var captured = await CapturedImage.GetAsync();
        await using var site = await LabSite.StartAsync(name, captured.Data);
        var disk = RawImage.CreateUsed(Path.Combine(site.Network.Folder, "target.img"), SourceDisk.Bytes + More, seed: 11);
        await site.AddHostAsync("target", Machines.TargetMac);
        var order = Machines.Image();
        order["deploy"] = new JsonObject { ["fill"] = true, ["growVolume"] = growVolume };
        var task = await site.OrderAsync(JobKind.Deploy, Machines.TargetMac, order);
        await using (var machine = await site.PowerOnAsync(Machines.Target(disk)))
        {
            await machine.Console.WaitForAsync("imageforge: checked in", Machines.BootLimit);
            var end = await task.WaitForSuccessAsync(Machines.TaskLimit);
            Assert.Contains("The disk is filled.", (string?)end["summary"], StringComparison.Ordinal);
            var grown = Assert.Single(end["plan"]!["volumes"]!.AsArray(), v => (string?)v!["change"] == "grown")!;
            Assert.Equal((long)grown["imageSizeBytes"]! + Gain, (long)grown["sizeBytes"]!);
            await machine.WaitForEndAsync(TimeSpan.FromSeconds(60));
        }
        var verdict = await Command.TryAsync("sgdisk", "-v", disk);
        Assert.Contains("No problems found", verdict.Output, StringComparison.Ordinal);
        var partitions = await PartitionTable.ReadAsync(disk);
        foreach (var i in (int[])[2, 3])
            RawImage.Copy(disk, partitions[i].Offset, partitions[i].Bytes, Part(i), 0);
        return (Keep(Part(2)), Keep(Part(3)));

        string Part(int i) => Path.Combine(site.Network.Folder, $"partition-{i + 1}");

        // The site's folder goes with it.
        static string Keep(string path)
        {
            var kept = Path.Combine(Repository.LabFolder, Path.GetFileName(path));
            File.Move(path, kept, overwrite: true);
            return kept;
        }
    }
}
