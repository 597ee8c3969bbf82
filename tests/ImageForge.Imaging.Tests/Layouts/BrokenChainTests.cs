using ImageForge.Contracts;
using ImageForge.Imaging.Disks;
using ImageForge.Imaging.Tests.Disks;

namespace ImageForge.Imaging.Tests.Layouts;

/// <summary>Chains of logical partitions that loop, leave their extended partition, overlap or are something else altogether.</summary>
public sealed class BrokenChainTests
{
    private const int Extended = 64, Sectors = 1024;

    [Fact]
    public void A_chain_that_loops_is_a_failure()
    {
        var bytes = Chain((64, 80, 10), (128, 144, 10));
        HandMadeChain.Entry(bytes.AsSpan(128 * 512, 512), 1, 0x05, 0, 10);
        Refused(bytes, "leads back to LBA 64");
    }

    [Fact]
    public void A_chain_without_end_is_a_failure()
    {
        var bytes = Chain([.. Enumerable.Range(0, 300).Select(i => ((uint)(64 + 3 * i), (uint)(65 + 3 * i), 1u))]);
        Refused(bytes, "more than 251 links");
    }

    [Fact]
    public void The_longest_chain_that_linux_shows_is_read()
    {
        var layout = MadeGptDisk.Layout(Chain([.. Enumerable.Range(0, 251).Select(i => ((uint)(64 + 3 * i), (uint)(65 + 3 * i), 1u))]));
        Assert.Equal(255, layout.Partitions.Max(p => p.Number));
    }

    [Theory]
    [InlineData(2000u, 10u)]
    [InlineData(900u, 200u)]
    [InlineData(1u, uint.MaxValue)]
    [InlineData(uint.MaxValue, uint.MaxValue)]
    public void A_partition_outside_is_a_failure(uint first, uint sectors)
    {
        var bytes = Chain((64, 80, 10), (128, 144, 10));
        HandMadeChain.Entry(bytes.AsSpan(128 * 512, 512), 0, 0x83, first, sectors);
        Refused(bytes, "the boot record at LBA 128 points to LBA");
    }

    [Theory]
    [InlineData(1024u)]
    [InlineData(uint.MaxValue)]
    public void A_link_outside_is_a_failure(uint first)
    {
        var bytes = Chain((64, 80, 10));
        HandMadeChain.Entry(bytes.AsSpan(64 * 512, 512), 1, 0x0F, first, 10);
        Refused(bytes, "the boot record at LBA 64 points to LBA");
    }

    [Fact]
    public void A_link_into_nothing_is_a_failure()
    {
        var bytes = Chain((64, 80, 10), (128, 144, 10));
        bytes[128 * 512 + 510] = 0;
        Refused(bytes, "leads to LBA 128, where no boot record is");
    }

    [Theory]
    [InlineData(80u, 100u)]
    [InlineData(60u, 10u)]
    [InlineData(64u, 1u)]
    [InlineData(0u, 8u)]
    public void Logical_partitions_that_overlap_each_other_or_a_record_are_a_failure(uint first, uint sectors)
    {
        var bytes = Chain((64, 80, 10), (128, 144, 10), (256, 272, 10));
        HandMadeChain.Entry(bytes.AsSpan(64 * 512, 512), 0, 0x83, first, sectors);
        Refused(bytes, "overlap at LBA");
    }

    [Fact]
    public void An_extended_partition_without_a_record_is_taken_whole_with_a_note()
    {
        var bytes = Chain((64, 80, 10));
        bytes[64 * 512 + 510] = 0;
        Opaque(bytes, "does not begin with a boot record");
    }

    [Theory]
    [InlineData(0x83)]
    [InlineData(0x05)]
    public void A_record_with_three_entries_is_taken_whole_with_a_note(byte type)
    {
        var bytes = Chain((64, 80, 10), (128, 144, 10));
        HandMadeChain.Entry(bytes.AsSpan(64 * 512, 512), 2, type, 200, 10);
        Opaque(bytes, "boot record with 3 entries at LBA 64");
    }

    [Fact]
    public void More_boot_code_than_a_manifest_holds_is_taken_whole_with_a_note()
    {
        var bytes = new byte[40 << 20];
        Write(bytes, 70000, [.. Enumerable.Range(0, 30).Select(i => ((uint)(64 + i * 2060), (uint)(64 + i * 2060 + 2048), 8u))]);
        for (var i = 0; i < 30; i++)
            bytes[(64 + i * 2060 + 2047) * 512] = 1;
        Opaque(bytes, "boot code before too many");
    }

    private static byte[] Chain(params (uint Record, uint First, uint Sectors)[] records)
    {
        var bytes = new byte[2 << 20];
        Write(bytes, Sectors, records);
        return bytes;
    }

    private static void Write(byte[] bytes, uint sectors, (uint Record, uint First, uint Sectors)[] records)
    {
        HandMadeChain.Entry(bytes, 1, 0x05, Extended, sectors);
        for (var i = 0; i < records.Length; i++)
        {
            var ebr = bytes.AsSpan((int)records[i].Record * 512, 512);
            HandMadeChain.Entry(ebr, 0, 0x83, records[i].First - records[i].Record, records[i].Sectors);
            if (i + 1 < records.Length)
                HandMadeChain.Entry(ebr, 1, 0x05, records[i + 1].Record - Extended, 10);
        }
    }

    private static void Refused(byte[] bytes, string why)
    {
        var failure = Assert.IsType<PartitionTableReading.Unusable>(PartitionTables.Read(MemoryDisk.Of(bytes))).Failure;
        Assert.Equal(("mbrInvalid", Fault.Disk), (failure.Code, failure.Fault));
        Assert.Contains(why, failure.Sentence, StringComparison.Ordinal);
    }

    private static void Opaque(byte[] bytes, string why)
    {
        var layout = MadeGptDisk.Layout(bytes);
        var partition = Assert.Single(layout.Partitions);
        Assert.Equal((2, Extended * 512L), (partition.Number, partition.Offset));
        Assert.Contains(why, partition.Opaque, StringComparison.Ordinal);
        Assert.Contains(why, Assert.Single(layout.Notes), StringComparison.Ordinal);
        Assert.DoesNotContain(layout.RawRegions, r => r.Kind is RawRegionKind.Ebr or RawRegionKind.Zeros);
    }
}
