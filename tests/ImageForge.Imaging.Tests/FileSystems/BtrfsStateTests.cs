using ImageForge.Imaging.Disks;
using ImageForge.Imaging.FileSystems;

namespace ImageForge.Imaging.Tests.FileSystems;

/// <summary>Which btrfs are taken whole, and why.</summary>
public sealed class BtrfsStateTests
{
    private const long MiB = 1 << 20;

    [Fact]
    public void A_power_cut_behind_a_commit_is_read_and_one_behind_an_fsync_is_not()
    {
        using var volume = MadeVolume.Btrfs(200 * MiB, "", files: 50);
        var committed = volume.CutPowerDuring(folder =>
        {
            File.WriteAllText(Path.Combine(folder, "new"), "content");
            Shell.Run("sync", "-f", folder);
        });
        Assert.Null(Identify(committed).Note);
        var logged = volume.CutPowerDuring(folder =>
        {
            using var file = File.Create(Path.Combine(folder, "newer"));
            file.Write(new byte[100_000]);
            file.Flush(flushToDisk: true);
        });
        Judges.AssertTakenWhole(Identify(logged), FileSystemKind.Btrfs, "log to replay", VolumeState.JournalPending);
        Assert.Null(volume.Identify().Note);
    }

    [Fact]
    public void A_part_of_several_devices_is_taken_whole()
    {
        using var other = MadeVolume.Ext("ext2", 200 * MiB, "", files: 0);
        using var volume = MadeVolume.Btrfs(200 * MiB, $"-d single {other.Image}", files: 0);
        Judges.AssertTakenWhole(volume.Identify(), FileSystemKind.Btrfs, "spread over 2 devices");
        Judges.AssertTakenWhole(other.Identify(), FileSystemKind.Btrfs, "spread over 2 devices");
    }

    [Fact]
    public void A_seed_is_taken_whole()
    {
        using var volume = MadeVolume.Btrfs(200 * MiB, "", files: 0);
        Shell.Run("btrfstune", "-f", "-S", "1", volume.Image);
        Judges.AssertTakenWhole(volume.Identify(), FileSystemKind.Btrfs, "seed device");
    }

    [Theory]
    [InlineData(188, 0x2000UL, "incompat 0x2000")]
    [InlineData(188, 0x1000UL, "zoned")]
    [InlineData(180, 0x40UL, "compat_ro 0x40")]
    [InlineData(56, 4UL, "having errors", VolumeState.Errors)]
    [InlineData(56, 1UL << 36, "middle of a conversion", VolumeState.Dirty)]
    public void What_is_not_known_here_is_taken_whole(int at, ulong flag, string note, VolumeState state = VolumeState.Clean)
    {
        using var volume = MadeVolume.Btrfs(120 * MiB, "--mixed", files: 0);
        var image = volume.ReadAll();
        BitConverter.TryWriteBytes(image.AsSpan(BtrfsSuperblock.Offset + at), image.U64(BtrfsSuperblock.Offset + at) | flag);
        Seal(image, BtrfsSuperblock.Offset, BtrfsSuperblock.Size);
        Judges.AssertTakenWhole(Identify(image), FileSystemKind.Btrfs, note, state);
    }

    [Fact]
    public void A_node_damaged_in_one_of_two_places_is_read_from_the_other()
    {
        using var volume = MadeVolume.Btrfs(200 * MiB, "-m dup", files: 50);
        var image = volume.ReadAll();
        var good = volume.Identify();
        var copies = Places(image, image.U64(BtrfsSuperblock.Offset + 80));
        Assert.Equal(2, copies.Count);
        image[copies[0] + 200] ^= 1;
        var read = Identify(image);
        Assert.Equal((null, good.Used.CountUsed()), (read.Note, read.Used.CountUsed()));
        image[copies[1] + 200] ^= 1;
        Judges.AssertTakenWhole(Identify(image), FileSystemKind.Unknown, "is damaged");
    }

    [Fact]
    public void Block_groups_that_do_not_add_up_are_not_believed()
    {
        using var volume = MadeVolume.Btrfs(120 * MiB, "--mixed -n 4096", files: 0);
        var image = volume.ReadAll();
        // The only leaf of the extent tree: owner 2, level 0; its first block group item gets a byte more.
        var leaf = Enumerable.Range(0, image.Length / 4096).Select(i => i * 4096).Last(at => image.AsSpan(at + 32, 16).SequenceEqual(image.AsSpan(BtrfsSuperblock.Offset + 32, 16))
            && at != BtrfsSuperblock.Offset && image.U64(at + 88) == 2 && image[at + 100] == 0 && image.U64(at + 80) == image.U64(BtrfsSuperblock.Offset + 72));
        var item = Enumerable.Range(0, (int)image.U32(leaf + 96)).Select(i => leaf + 101 + 25 * i).First(at => image[at + 8] == BtrfsKey.BlockGroupItem);
        image[leaf + 101 + (int)image.U32(item + 17) + 1] += 0x10;
        Seal(image, leaf, 4096);
        Judges.AssertTakenWhole(Identify(image), FileSystemKind.Unknown, "do not add up");
    }

    internal static void Seal(byte[] image, int at, int length) =>
        BtrfsChecksum.Compute(BtrfsChecksumKind.Crc32C, image.AsSpan(at + 32, length - 32), image.AsSpan(at, 32));

    /// <summary>Where the node with this logical address lies.</summary>
    private static List<int> Places(byte[] image, ulong address) =>
        [.. Enumerable.Range(0, image.Length / 4096).Select(i => i * 4096).Where(at => at != BtrfsSuperblock.Offset && image.U64(at + 48) == address
            && image.AsSpan(at + 32, 16).SequenceEqual(image.AsSpan(BtrfsSuperblock.Offset + 32, 16)) && image.U64(at + 80) == image.U64(BtrfsSuperblock.Offset + 72))];

    private static VolumeContent Identify(byte[] bytes) => VolumeProbe.Identify(MemoryDisk.Of(bytes), 0, bytes.Length, CancellationToken.None);
}
