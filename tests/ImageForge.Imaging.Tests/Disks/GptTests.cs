using ImageForge.Imaging.Disks;

namespace ImageForge.Imaging.Tests.Disks;

public sealed class GptTests
{
    private const long Sector = 512;

    [Fact]
    public void Partitions_are_what_sgdisk_made()
    {
        var layout = MadeGptDisk.Layout(MadeGptDisk.Usual());
        Assert.Equal(PartitionScheme.Gpt, layout.Scheme);
        Assert.Empty(layout.Notes);
        Assert.Equal([1, 2, 3], layout.Partitions.Select(partition => partition.Number));
        Assert.Equal([2048 * Sector, 4160 * Sector, 8256 * Sector], layout.Partitions.Select(partition => partition.Offset));
        Assert.Equal([1L << 20, 2L << 20], layout.Partitions.Take(2).Select(partition => partition.Length));
        Assert.Equal([MadeGptDisk.EspType, "0fc63daf-8483-4772-8e79-3d69d8477de4", "ebd0a0a2-b9e5-4433-87c0-68b6b72699c7"], layout.Partitions.Select(partition => partition.Type));
        Assert.Equal(["EFI system", "Wurzel ä€", null], layout.Partitions.Select(partition => partition.Name));
        Assert.Equal([0UL, 0, 1UL << 60], layout.Partitions.Select(partition => partition.Attributes));
        Assert.Equal(3, layout.Partitions.Select(partition => partition.UniqueId).Distinct().Count());
    }

    [Fact]
    public void Raw_regions_cover_everything_outside_the_partitions_that_matters()
    {
        var layout = MadeGptDisk.Layout(MadeGptDisk.Usual());
        Assert.Equal(
        [
            new RawRegion(0, Sector, RawRegionKind.BootSector),
            new RawRegion(Sector, 33 * Sector, RawRegionKind.GptPrimary),
            new RawRegion(34 * Sector, (2048 - 34) * Sector, RawRegionKind.Gap),
            new RawRegion(layout.SizeBytes - 33 * Sector, 32 * Sector, RawRegionKind.GptBackup),
            new RawRegion(layout.SizeBytes - Sector, Sector, RawRegionKind.GptBackup),
        ], layout.RawRegions);
    }

    [Fact]
    public void Sectors_of_4096_bytes_are_read()
    {
        var layout = MadeGptDisk.Layout(MadeGptDisk.With4KSectors(), 4096);
        Assert.Equal([256 * 4096L, 1024 * 4096L], layout.Partitions.Select(partition => partition.Offset));
        Assert.Equal([2L << 20, 4L << 20], layout.Partitions.Select(partition => partition.Length));
        Assert.Equal(4096, layout.Gpt!.SectorSize);
    }

    [Theory]
    [InlineData(1 * Sector + 60, "first copy", "second one was used")]
    [InlineData(2 * Sector + 40, "first copy", "second one was used")]
    [InlineData(-Sector + 60, "second copy", "first one was used")]
    [InlineData(-33 * Sector + 40, "second copy", "first one was used")]
    public void One_damaged_copy_is_noted_and_the_other_used(long at, string which, string used)
    {
        var bytes = MadeGptDisk.Usual();
        var whole = MadeGptDisk.Layout(bytes);
        bytes[at < 0 ? bytes.Length + at : at] ^= 0x10;
        var layout = MadeGptDisk.Layout(bytes);
        Assert.Equal(whole.Partitions, layout.Partitions);
        var note = Assert.Single(layout.Notes);
        Assert.Contains(which, note, StringComparison.Ordinal);
        Assert.Contains(used, note, StringComparison.Ordinal);
        // What was damaged is made whole again by a rebuild.
        Assert.Equal(Rebuilt(whole, bytes.Length), Rebuilt(layout, bytes.Length));
    }

    [Fact]
    public void Two_damaged_copies_are_a_failure_with_both_reasons()
    {
        var bytes = MadeGptDisk.Usual();
        bytes[Sector + 60] ^= 1;
        bytes[^33] = 0xFF;
        bytes.AsSpan(bytes.Length - (int)Sector, 8).Clear();
        var failure = Unusable(bytes, "gptDamaged");
        Assert.Contains("the first has a wrong checksum", failure.Sentence, StringComparison.Ordinal);
        Assert.Contains("the second has no signature", failure.Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public void A_table_made_for_other_sectors_says_so()
    {
        var failure = Assert.IsType<PartitionTableReading.Unusable>(PartitionTables.Read(MemoryDisk.Of(MadeGptDisk.Usual(), 4096))).Failure;
        Assert.Contains("made for sectors of 512 bytes", failure.Sentence, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1, 2048UL, 1500UL, "outside")]
    [InlineData(1, 10UL, 5000UL, "outside")]
    [InlineData(1, 2048UL, 1UL << 40, "outside")]
    [InlineData(1, 2048UL, ulong.MaxValue, "outside")]
    [InlineData(1, 2048UL, 4200UL, "overlap")]
    [InlineData(2, 2048UL, 2048UL, "overlap")]
    public void Impossible_partitions_are_a_failure(int number, ulong first, ulong last, string why)
    {
        var bytes = MadeGptDisk.Usual();
        var entry = 2 * (int)Sector + (number - 1) * 128;
        BitConverter.TryWriteBytes(bytes.AsSpan(entry + 32), first);
        BitConverter.TryWriteBytes(bytes.AsSpan(entry + 40), last);
        Reseal(bytes);
        Assert.Contains(why, Unusable(bytes, "gptInvalid").Sentence, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(80, 0xFFFF_FFFFu)]
    [InlineData(84, 0x8000_0000u)]
    [InlineData(84, 64u)]
    [InlineData(12, 5000u)]
    [InlineData(12, 16u)]
    public void Headers_that_ask_for_too_much_are_refused(int field, uint value)
    {
        var bytes = MadeGptDisk.Usual();
        BitConverter.TryWriteBytes(bytes.AsSpan((int)Sector + field), value);
        var header = bytes.AsSpan((int)Sector, 92);
        header[16..20].Clear();
        BitConverter.TryWriteBytes(header[16..], Crc32.Ieee(header));
        Assert.Contains("first copy", Assert.Single(MadeGptDisk.Layout(bytes).Notes), StringComparison.Ordinal);
    }

    [Fact]
    public void A_disk_that_has_grown_is_noted()
    {
        var bytes = MadeGptDisk.Usual();
        var layout = MadeGptDisk.Layout([.. bytes, .. new byte[1 << 20]]);
        Assert.Contains("has grown", Assert.Single(layout.Notes), StringComparison.Ordinal);
        Assert.Equal(bytes.Length / Sector - 1, layout.Gpt!.BackupHeaderLba);
    }

    [Fact]
    public void A_missing_protective_mbr_is_noted()
    {
        var bytes = MadeGptDisk.Usual();
        bytes.AsSpan(0, 512).Clear();
        Assert.Equal("The protective MBR is missing.", Assert.Single(MadeGptDisk.Layout(bytes).Notes));
    }

    [Fact]
    public void A_hybrid_mbr_is_noted_and_kept()
    {
        var bytes = MadeGptDisk.Bytes(8, "-n", "1:2048:+1M", "-n", "2:0:0", "-h", "1");
        var layout = MadeGptDisk.Layout(bytes);
        Assert.Contains("hybrid", Assert.Single(layout.Notes), StringComparison.Ordinal);
        Assert.Equal(bytes[..512], GptWriter.Rebuild(layout.Gpt!, bytes.Length, 512)[^1].Bytes);
    }

    private static Contracts.Failure Unusable(byte[] bytes, string code)
    {
        var failure = Assert.IsType<PartitionTableReading.Unusable>(PartitionTables.Read(MemoryDisk.Of(bytes))).Failure;
        Assert.Equal((code, Contracts.Fault.Disk), (failure.Code, failure.Fault));
        return failure;
    }

    private static byte[] Rebuilt(DiskLayout layout, long size) => [.. GptWriter.Rebuild(layout.Gpt!, size, 512).SelectMany(write => write.Bytes)];

    /// <summary>Makes both checksums of the first copy right again and breaks the second copy.</summary>
    private static void Reseal(byte[] bytes)
    {
        var header = bytes.AsSpan((int)Sector, 92);
        BitConverter.TryWriteBytes(header[88..], Crc32.Ieee(bytes.AsSpan(2 * (int)Sector, 128 * 128)));
        header[16..20].Clear();
        BitConverter.TryWriteBytes(header[16..], Crc32.Ieee(header));
        bytes.AsSpan(bytes.Length - (int)Sector).Clear();
    }
}
