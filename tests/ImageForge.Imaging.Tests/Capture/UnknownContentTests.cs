using ImageForge.Imaging.Capture;
using ImageForge.Imaging.Deploy;
using ImageForge.Imaging.Disks;
using ImageForge.Imaging.FileSystems;
using ImageForge.Imaging.Manifests;
using ImageForge.Imaging.Tests.Doubles;
using ImageForge.Imaging.Tests.FileSystems;
using ImageForge.Imaging.Tests.FileSystems.Lvm;
using ImageForge.Imaging.Tests.Manifests;

namespace ImageForge.Imaging.Tests.Capture;

/// <summary>Volumes that no file system's map is known of, and volumes of which little is content: what is stored, and what a disk of 0xFF holds afterwards.</summary>
public sealed class UnknownContentTests
{
    private const int MiB = 1 << 20;

    [Fact]
    public async Task Zeros_of_unknown_content_are_not_stored_and_are_written_all_the_same()
    {
        using var disk = new MemoryDisk(34L * MiB);
        TestGpt.WriteTo(disk, (MiB, 32 * MiB));
        var island = new byte[4096];
        new Random(3).NextBytes(island);
        disk.Write(20 * MiB + 8192, island);
        var (manifest, store, target) = await RoundTripAsync(disk);
        using var _ = target;
        Assert.Equal((FileSystemKind.Unknown, 32L * MiB), (manifest.Volumes[0].Header.FileSystem, manifest.UsedBytes));
        Assert.Equal((1, 1), (store.Stored, manifest.Volumes[0].Chunks().Count(c => c.Kind == ChunkKind.Data)));
        Assert.True(SyntheticImage.Read(disk, MiB, 32 * MiB).AsSpan().SequenceEqual(SyntheticImage.Read(target, MiB, 32 * MiB)));
    }

    [Fact]
    public async Task Nothing_but_zeros_stores_nothing()
    {
        using var disk = new MemoryDisk(34L * MiB);
        TestGpt.WriteTo(disk, (MiB, 32 * MiB));
        var (_, store, target) = await RoundTripAsync(disk);
        using var __ = target;
        Assert.Equal(0, store.Stored);
        Assert.False(SyntheticImage.Read(target, MiB, 32 * MiB).AsSpan().ContainsAnyExcept((byte)0));
    }

    [Fact]
    public async Task Swap_exfat_luks_and_lvm_on_one_disk_come_back()
    {
        using var swap = MadeVolume.Swap(8 * MiB, "-L Swap");
        using var exFat = MadeVolume.ExFat(24 * MiB, "", files: 20);
        using var luks = MadeVolume.Luks(20 * MiB, "luks2", "0f4a1c52-6d3e-4b7a-9c11-aabbccddeeff");
        using var ext = MadeVolume.Ext("ext4", 12 * MiB, "", files: 20);
        using var group = new MadeGroup(24 * MiB);
        group.Add("root", 12);
        group.Put("root", ext.Image);
        byte[][] contents = [swap.ReadAll(), exFat.ReadAll(), luks.ReadAll(), File.ReadAllBytes(group.Image)];
        var places = new List<(long, long)>();
        long at = MiB;
        foreach (var content in contents)
        {
            places.Add((at, content.Length));
            at += content.Length + MiB;
        }
        using var disk = new MemoryDisk(at + MiB);
        TestGpt.WriteTo(disk, [.. places]);
        for (var i = 0; i < contents.Length; i++)
            disk.Write(places[i].Item1, contents[i]);
        var (manifest, _, target) = await RoundTripAsync(disk);
        using var __ = target;
        Assert.Equal([FileSystemKind.Swap, FileSystemKind.ExFat, FileSystemKind.Luks, FileSystemKind.Lvm], manifest.Volumes.Select(v => v.Header.FileSystem));
        Assert.Equal(4096, manifest.Volumes[0].UsedBytes);
        Assert.All([manifest.Volumes[1], manifest.Volumes[3]], v => Assert.InRange(v.UsedBytes, 1, v.Header.Partition.Length * 3 / 4));
        Assert.True(contents[2].AsSpan().SequenceEqual(SyntheticImage.Read(target, places[2].Item1, places[2].Item2)));

        using var folder = new TempFolder();
        File.WriteAllBytes(folder["exfat"], SyntheticImage.Read(target, places[1].Item1, places[1].Item2));
        Shell.Run("fsck.exfat", "-n", folder["exfat"]);
        Assert.Equal(exFat.HashFiles(exFat.Image), exFat.HashFiles(folder["exfat"]));
        File.WriteAllBytes(folder["pv"], SyntheticImage.Read(target, places[3].Item1, places[3].Item2));
        group.Extract("root", folder["pv"], folder["root"]);
        Shell.Run("e2fsck", "-fn", folder["root"]);
        Assert.Equal(ext.HashFiles(ext.Image), ext.HashFiles(folder["root"]));
    }

    /// <summary>Captures the disk and deploys it onto one full of 0xFF.</summary>
    private static async Task<(Manifest Manifest, MemoryChunkStore Store, MemoryDisk Target)> RoundTripAsync(MemoryDisk disk)
    {
        var store = new MemoryChunkStore();
        var result = await new CaptureEngine(new ReadOnlyDisk(disk), store, new CaptureOptions(Level: 1)).RunAsync(CancellationToken.None);
        var target = new MemoryDisk(disk.SizeBytes);
        target.Write(0, Enumerable.Repeat((byte)0xFF, (int)disk.SizeBytes).ToArray());
        var manifest = ManifestTests.Parse(result.ManifestBytes);
        var plan = DeployPlanner.Plan(manifest, result.ManifestHash, target.SizeBytes, 512, null).Plan!;
        await new DeployEngine(target, store, plan, new DeployOptions()).RunAsync(CancellationToken.None);
        Assert.Null(DiskCheck.Difference(manifest, disk, target));
        return (manifest, store, target);
    }
}
