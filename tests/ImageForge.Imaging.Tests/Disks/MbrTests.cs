using ImageForge.Imaging.Disks;
using ImageForge.Imaging.Tests.FileSystems;

namespace ImageForge.Imaging.Tests.Disks;

public sealed class MbrTests
{
    [Fact]
    public void Primary_partitions_are_what_sfdisk_made()
    {
        var layout = MadeGptDisk.Layout(Made("label: dos\nlabel-id: 0xdeadbeef\nstart=2048, size=2048, type=7, bootable\nstart=4096, size=4096, type=83\n"));
        Assert.Equal(PartitionScheme.Mbr, layout.Scheme);
        Assert.Equal(
        [
            new Partition(1, 2048 * 512, 2048 * 512, "0x07", "deadbeef-01", null, 0x80),
            new Partition(2, 4096 * 512, 4096 * 512, "0x83", "deadbeef-02", null, 0),
        ], layout.Partitions);
        Assert.Equal([new RawRegion(0, 512, RawRegionKind.BootSector), new RawRegion(512, 2047 * 512, RawRegionKind.Gap)], layout.RawRegions);
        Assert.Equal(0xdeadbeef, layout.Mbr!.DiskSignature);
    }

    [Theory]
    [InlineData(0u, 100u, "spans")]
    [InlineData(16000u, 1000u, "spans")]
    [InlineData(uint.MaxValue, uint.MaxValue, "spans")]
    [InlineData(5000u, 10u, "overlap")]
    public void Impossible_partitions_are_a_failure(uint first, uint sectors, string why)
    {
        var bytes = Made("label: dos\nstart=2048, size=2048, type=7\nstart=4096, size=4096, type=83\n");
        BitConverter.TryWriteBytes(bytes.AsSpan(446 + 8), first);
        BitConverter.TryWriteBytes(bytes.AsSpan(446 + 12), sectors);
        var failure = Assert.IsType<PartitionTableReading.Unusable>(PartitionTables.Read(MemoryDisk.Of(bytes))).Failure;
        Assert.Equal("mbrInvalid", failure.Code);
        Assert.Contains(why, failure.Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public void A_gpt_left_behind_an_mbr_is_ignored_with_a_note()
    {
        var bytes = MadeGptDisk.Usual();
        var mbr = Made("label: dos\nstart=2048, size=2048, type=7\n");
        mbr.AsSpan(0, 512).CopyTo(bytes);
        var layout = MadeGptDisk.Layout(bytes);
        Assert.Equal(PartitionScheme.Mbr, layout.Scheme);
        Assert.Contains("leftover", Assert.Single(layout.Notes), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("fat")]
    [InlineData("ntfs")]
    [InlineData("ext4")]
    public void A_file_system_on_the_whole_disk_is_no_partition_table(string fileSystem)
    {
        using var volume = fileSystem switch
        {
            "fat" => MadeVolume.Fat(16 << 20, "-F 16", files: 0),
            "ntfs" => MadeVolume.Ntfs(16 << 20, "-c 4096", files: 0),
            _ => MadeVolume.Ext("ext4", 16 << 20, "", files: 0),
        };
        var layout = MadeGptDisk.Layout(volume.ReadAll());
        Assert.Equal(PartitionScheme.None, layout.Scheme);
        Assert.Equal(new Partition(0, 0, volume.Bytes, "", null, null, 0), Assert.Single(layout.Partitions));
        Assert.Empty(layout.RawRegions);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(512)]
    [InlineData(1 << 20)]
    public void A_blank_disk_has_no_partition_table(int bytes) => Assert.Equal(PartitionScheme.None, MadeGptDisk.Layout(new byte[bytes]).Scheme);

    private static byte[] Made(string script)
    {
        var path = Path.Combine(Path.GetTempPath(), $"imageforge-mbr-{Guid.CreateVersion7():N}");
        try
        {
            using (var file = File.Create(path))
                file.SetLength(8 << 20);
            File.WriteAllText(path + ".script", script);
            Shell.Run("sh", "-c", $"PATH=$PATH:/usr/sbin:/sbin sfdisk -q --no-reread {path} < {path}.script");
            return File.ReadAllBytes(path);
        }
        finally
        {
            File.Delete(path);
            File.Delete(path + ".script");
        }
    }
}
