using ImageForge.Imaging.Disks;
using ImageForge.Imaging.Tests.FileSystems;

namespace ImageForge.Imaging.Tests.Disks;

public sealed class GptWriterTests
{
    [Theory]
    [InlineData(512)]
    [InlineData(4096)]
    public void On_the_same_size_every_byte_is_what_stood_there(int sectorSize)
    {
        var bytes = sectorSize == 512 ? MadeGptDisk.Usual() : MadeGptDisk.With4KSectors();
        foreach (var write in GptWriter.Rebuild(MadeGptDisk.Layout(bytes, sectorSize).Gpt!, bytes.Length, sectorSize))
            Assert.Equal(bytes.AsSpan((int)write.Offset, write.Bytes.Length).ToArray(), write.Bytes);
    }

    [Theory]
    [InlineData(9)]
    [InlineData(64)]
    public void On_a_larger_disk_sgdisk_finds_no_fault(int mebibytes)
    {
        var layout = MadeGptDisk.Layout(MadeGptDisk.Usual());
        var path = Path.Combine(Path.GetTempPath(), $"imageforge-gpt-{Guid.CreateVersion7():N}");
        try
        {
            using (var target = ImageFileDevice.Create(path, (long)mebibytes << 20))
                foreach (var write in GptWriter.Rebuild(layout.Gpt!, target.SizeBytes, target.SectorSize))
                    target.Write(write.Offset, write.Bytes);
            var verdict = Shell.Run("sgdisk", "--verify", path);
            Assert.Contains("No problems found", verdict, StringComparison.Ordinal);
            using var disk = ImageFileDevice.OpenForReading(path);
            var there = Assert.IsType<PartitionTableReading.Found>(PartitionTables.Read(disk)).Layout;
            Assert.Empty(there.Notes);
            Assert.Equal(layout.Partitions, there.Partitions);
            Assert.Equal(layout.Gpt!.DiskGuid, there.Gpt!.DiskGuid);
            Assert.Equal(((long)mebibytes << 11) - 34, there.Gpt.LastUsableLba);
            // The protective entry spans the whole new disk; boot code stays.
            Assert.Equal(((long)mebibytes << 11) - 1, BitConverter.ToUInt32(there.Gpt.BootSector, 446 + 12));
            Assert.Equal(layout.Gpt.BootSector[..440], there.Gpt.BootSector[..440]);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void A_grown_disk_gets_its_second_copy_at_the_end()
    {
        var bytes = MadeGptDisk.Usual();
        var layout = MadeGptDisk.Layout([.. bytes, .. new byte[1 << 20]]);
        var disk = MemoryDisk.Of([.. bytes, .. new byte[1 << 20]]);
        foreach (var write in GptWriter.Rebuild(layout.Gpt!, disk.SizeBytes, 512))
            disk.Write(write.Offset, write.Bytes);
        var there = Assert.IsType<PartitionTableReading.Found>(PartitionTables.Read(disk)).Layout;
        Assert.Empty(there.Notes);
        Assert.Equal(disk.SizeBytes / 512 - 1, there.Gpt!.BackupHeaderLba);
    }

    [Fact]
    public void The_smallest_disk_fits_and_one_sector_less_does_not()
    {
        var bytes = MadeGptDisk.Bytes(8, "-n", "1:2048:+1M");
        var table = MadeGptDisk.Layout(bytes).Gpt!;
        var smallest = GptWriter.MinimumDiskBytes(table);
        Assert.Equal((4096 + 33) * 512, smallest);
        Assert.Equal(5, GptWriter.Rebuild(table, smallest, 512).Count);
        Assert.Throws<ArgumentException>(() => GptWriter.Rebuild(table, smallest - 512, 512));
        Assert.Throws<ArgumentException>(() => GptWriter.Rebuild(table, bytes.Length, 4096));
    }

    [Fact]
    public void Lba_0_comes_last_and_the_second_copy_first()
    {
        var bytes = MadeGptDisk.Usual();
        var writes = GptWriter.Rebuild(MadeGptDisk.Layout(bytes).Gpt!, bytes.Length, 512);
        Assert.Equal([bytes.Length - 33 * 512, bytes.Length - 512, 1024, 512, 0], writes.Select(write => write.Offset));
    }

    [Fact]
    public void After_invalidation_no_table_is_found()
    {
        var disk = MemoryDisk.Of(MadeGptDisk.Usual());
        foreach (var write in GptWriter.Invalidate(disk.SizeBytes, disk.SectorSize))
            disk.Write(write.Offset, write.Bytes);
        var layout = Assert.IsType<PartitionTableReading.Found>(PartitionTables.Read(disk)).Layout;
        Assert.Equal(PartitionScheme.None, layout.Scheme);
        Span<byte> sector = new byte[512];
        disk.Read(0, sector);
        Assert.False(sector.ContainsAnyExcept((byte)0));
        disk.Read(disk.SizeBytes - 512, sector);
        Assert.False(sector.ContainsAnyExcept((byte)0));
    }

    /// <summary>Cut off between any two sectors, the order leaves either no table for firmware to boot or a whole one.</summary>
    [Fact]
    public void A_write_that_stops_half_way_never_shows_a_wrong_table()
    {
        var bytes = MadeGptDisk.Usual();
        var layout = MadeGptDisk.Layout(bytes);
        var sectors = GptWriter.Rebuild(layout.Gpt!, bytes.Length, 512)
            .SelectMany(write => write.Bytes.Chunk(512).Select((sector, i) => (Offset: write.Offset + i * 512L, Sector: sector))).ToList();
        for (var cut = 0; cut < sectors.Count; cut++)
        {
            var disk = new MemoryDisk(bytes.Length);
            foreach (var (offset, sector) in sectors.Take(cut))
                disk.Write(offset, sector);
            var found = Assert.IsType<PartitionTableReading.Found>(PartitionTables.Read(disk)).Layout;
            if (found.Scheme == PartitionScheme.None)
                continue;
            Assert.Equal(layout.Partitions, found.Partitions);
        }
    }
}
