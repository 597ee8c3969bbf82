using System.Globalization;
using ImageForge.Imaging.Disks;
using ImageForge.Imaging.FileSystems;

namespace ImageForge.Imaging.Tests.FileSystems.Lvm;

/// <summary>Physical volumes made by lvm2 with real file systems in them; judged by lvm2, the checkers and the files.</summary>
public sealed class LvmUsedMapTests
{
    private const int MiB = 1 << 20;

    [Fact]
    public void Used_is_what_the_file_systems_in_the_logical_volumes_use()
    {
        using var ext = MadeVolume.Ext("ext4", 30 * MiB, "-b 1024");
        using var swap = MadeVolume.Swap(8 * MiB, "-L Swap");
        using var ntfs = MadeVolume.Ntfs(12 * MiB, "-c 4096", files: 30);
        using var group = new MadeGroup(80 * MiB);
        group.Add("root", 20);
        group.Add("swap", 8);
        group.Enlarge("root", 30);
        group.Add("data", 12);
        group.Add("raw", 4);
        (string Name, MadeVolume? Volume)[] inside = [("root", ext), ("swap", swap), ("data", ntfs), ("raw", null)];
        foreach (var (name, volume) in inside)
            if (volume is not null)
                group.Put(name, volume.Image);
        Assert.Equal(2, group.PlacesOf("root").Count);

        var ours = group.Identify();
        Assert.Equal((FileSystemKind.Lvm, 4096, VolumeState.Clean), (ours.Kind, ours.BlockSize, ours.State));
        Assert.Equal(group.Run("pvs --noheadings -o pv_uuid").Trim(), ours.Uuid);
        Assert.Equal("LVM volume group lab: root (ext4 \"Judge\"), swap (swap \"Swap\"), data (NTFS \"Judge\"), raw (unknown), 25 MiB free.", ours.Note);
        AssertEqualMaps(group, ours, inside);

        var restored = CopyWithGarbage(group.Image, ours);
        try
        {
            foreach (var (name, checker) in (ReadOnlySpan<(string, string)>)[("root", "e2fsck -fn"), ("data", "ntfsfix -n")])
            {
                var image = restored + name;
                group.Extract(name, restored, image);
                Shell.Run(checker.Split(' ')[0], [.. checker.Split(' ')[1..], image]);
                var volume = inside.Single(i => i.Name == name).Volume!;
                var files = volume.HashFiles(volume.Image);
                Assert.True(files.Count > 5);
                Assert.Equal(files, volume.HashFiles(image));
                File.Delete(image);
            }
            Assert.Equal(Pvck(group.Image), Pvck(restored));
        }
        finally
        {
            File.Delete(restored);
        }
    }

    /// <summary>The layout of a Red Hat installation, and a btrfs, each in pieces.</summary>
    [Fact]
    public void Xfs_and_btrfs_inside_are_read()
    {
        using var xfs = MadeVolume.Xfs(64 * MiB, "", files: 100);
        using var btrfs = MadeVolume.Btrfs(100 * MiB, "--mixed", files: 100);
        using var group = new MadeGroup(190 * MiB);
        group.Add("root", 40);
        group.Add("home", 70);
        group.Enlarge("root", 64);
        group.Enlarge("home", 100);
        group.Put("root", xfs.Image);
        group.Put("home", btrfs.Image);
        var ours = group.Identify();
        Assert.Equal("LVM volume group lab: root (XFS \"Judge\"), home (btrfs \"Judge\"), 25 MiB free.", ours.Note);
        AssertEqualMaps(group, ours, [("root", xfs), ("home", btrfs)]);
    }

    [Theory]
    [InlineData("--metadatacopies 2")]
    [InlineData("--dataalignment 3M --bootloaderareasize 1M")]
    [InlineData("--dataalignment 192K --metadatasize 60K")]
    public void Other_ways_to_lay_a_physical_volume_out_are_read(string pvcreate)
    {
        using var ext = MadeVolume.Ext("ext4", 16 * MiB, "", files: 10);
        using var group = new MadeGroup(40 * MiB, pvcreate);
        group.Add("root", 16);
        group.Put("root", ext.Image);
        var ours = group.Identify();
        Assert.StartsWith("LVM volume group lab: root (ext4", ours.Note, StringComparison.Ordinal);
        AssertEqualMaps(group, ours, [("root", ext)]);
        if (pvcreate.Contains("copies", StringComparison.Ordinal))
            Assert.True(ours.Used[ours.Used.BlockCount - 1], "the second metadata area at the end is lost");
    }

    [Fact]
    public void Metadata_that_wraps_around_the_end_of_its_area_is_read_after_every_change()
    {
        using var group = new MadeGroup(12 * MiB, "--dataalignment 4K --metadatasize 32K");
        group.Add("root", 4);
        // A long text goes round sooner.
        group.Run("vgchange lab " + string.Join(' ', Enumerable.Range(0, 40).Select(i => $"--addtag {new string((char)('a' + i % 26), 60 + i)}")));
        var wrapped = false;
        for (var i = 0; i < 12; i++)
        {
            group.Run(string.Create(CultureInfo.InvariantCulture, $"vgchange --addtag tag{i} lab"));
            var bytes = File.ReadAllBytes(group.Image);
            wrapped |= bytes.U64(4096 + 40) + bytes.U64(4096 + 48) > bytes.U64(4096 + 32);
            using var reader = new VolumeReader(MemoryDisk.Of(bytes), 0, bytes.Length, CancellationToken.None);
            var label = LvmLabel.Parse(reader);
            var parsed = LvmGroup.Parse(LvmMetadataArea.ReadText(reader, label.Metadata[0].Offset, label.Metadata[0].Length));
            Assert.Equal(group.Run("vgs --noheadings -o vg_seqno").Trim(), parsed.Sequence.ToString(CultureInfo.InvariantCulture));
        }
        Assert.True(wrapped, "no text wrapped");
    }

    [Fact]
    public void An_empty_group_uses_its_metadata_alone()
    {
        using var group = new MadeGroup(40 * MiB);
        var ours = group.Identify();
        Assert.Equal("LVM volume group lab: no logical volume, 39 MiB free.", ours.Note);
        Assert.Equal(MiB / ours.BlockSize, ours.Used.CountUsed());
    }

    [Fact]
    public void A_journal_that_must_be_played_makes_the_whole_logical_volume_used_and_the_physical_one_unclean()
    {
        using var ext = MadeVolume.Ext("ext4", 16 * MiB, "-b 1024", files: 0);
        Shell.Run("debugfs", "-w", "-R", "feature needs_recovery", ext.Image);
        using var group = new MadeGroup(40 * MiB);
        group.Add("root", 16);
        group.Put("root", ext.Image);
        var ours = group.Identify();
        Assert.Equal(17 * MiB / ours.BlockSize, ours.Used.CountUsed());
        Assert.NotEqual(VolumeState.Clean, ours.State);
        Assert.Contains("journal", ours.Note, StringComparison.Ordinal);
    }

    [Fact]
    public void A_logical_volume_that_is_a_disk_of_its_own_is_taken_whole()
    {
        using var ext = MadeVolume.Ext("ext4", 16 * MiB, "", files: 0);
        using var group = new MadeGroup(40 * MiB);
        group.Add("vm", 16);
        // A virtual machine's partition table over an older file system, whose superblock lies in the gap.
        using (var file = File.OpenWrite(ext.Image))
        {
            file.Position = 446;
            file.Write([0x80, 0, 0, 0, 0x83, 0, 0, 0, 0, 8, 0, 0, 0, 0x70, 0, 0]);
            file.Position = 510;
            file.Write([0x55, 0xAA]);
        }
        Assert.Equal(FileSystemKind.Ext4, ext.Identify().Kind);
        group.Put("vm", ext.Image);
        var ours = group.Identify();
        Assert.Contains("vm (unknown; A disk with partitions of its own", ours.Note, StringComparison.Ordinal);
        Assert.Equal(17 * MiB / ours.BlockSize, ours.Used.CountUsed());
    }

    internal static void AssertTakenWhole(VolumeContent content, string note, FileSystemKind kind = FileSystemKind.Lvm)
    {
        Assert.Equal(kind, content.Kind);
        Assert.Contains(note, content.Note, StringComparison.Ordinal);
        Assert.Equal(content.Used.BlockCount, content.Used.CountUsed());
    }

    /// <summary>Every block of the physical volume is used exactly if something in it is.</summary>
    private static void AssertEqualMaps(MadeGroup group, VolumeContent ours, (string Name, MadeVolume? Volume)[] inside)
    {
        var expected = new BlockMap(group.Bytes / 512);
        var start = long.Parse(group.Run("pvs --noheadings --nosuffix --units s -o pe_start").Trim(), CultureInfo.InvariantCulture);
        var end = start + long.Parse(group.Run("pvs --noheadings --nosuffix --units s -o pv_size").Trim(), CultureInfo.InvariantCulture);
        expected.Set(0, start);
        expected.Set(end, expected.BlockCount - end);
        foreach (var (name, volume) in inside)
        {
            var content = volume?.Identify();
            long at = 0;
            foreach (var (offset, length) in group.PlacesOf(name))
                for (var i = 0L; i < length / 512; i++, at += 512)
                    if (content is null || content.Used[at / content.BlockSize])
                        expected.Set(offset / 512 + i, 1);
        }
        var perBlock = ours.BlockSize / 512;
        for (long block = 0; block < ours.Used.BlockCount; block++)
            Assert.True(ours.Used[block] == expected.CountUsed(block * perBlock, Math.Min(perBlock, expected.BlockCount - block * perBlock)) > 0, $"block {block} of {ours.BlockSize} bytes: {ours.Used[block]}");
    }

    private static string CopyWithGarbage(string image, VolumeContent content)
    {
        var copy = image + ".restored";
        File.Copy(image, copy, overwrite: true);
        using var file = File.OpenWrite(copy);
        var garbage = Enumerable.Repeat((byte)0xA5, content.BlockSize).ToArray();
        for (long block = 0; block < content.Used.BlockCount; block++)
            if (!content.Used[block])
            {
                file.Position = block * content.BlockSize;
                file.Write(garbage);
            }
        return copy;
    }

    private static string Pvck(string image) =>
        Shell.Run("pvck", "--dump", "metadata_search", image).Replace(image, "", StringComparison.Ordinal) + Shell.Run("pvck", "--dump", "headers", image);
}
