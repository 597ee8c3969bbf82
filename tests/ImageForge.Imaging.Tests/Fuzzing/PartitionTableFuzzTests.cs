using ImageForge.Imaging.Disks;
using ImageForge.Imaging.Tests.Disks;
using ImageForge.Imaging.Tests.Layouts;
using Xunit.Abstractions;

namespace ImageForge.Imaging.Tests.Fuzzing;

public sealed class PartitionTableFuzzTests(ITestOutputHelper output)
{
    [Fact]
    public void Changed_gpts_are_read_or_refused_and_never_more()
    {
        var image = MadeGptDisk.Usual().AsSpan()[..(4 << 20)].ToArray();
        // A disk of 4 MiB keeps the cases small; its second copy is put at that end.
        var table = MadeGptDisk.Layout(MadeGptDisk.Bytes(4, "-n", "1:2048:+512K", "-n", "2:0:+512K", "-n", "3:0:+512K", "-c", "2:name"));
        foreach (var write in GptWriter.Rebuild(table.Gpt!, image.Length, 512))
            write.Bytes.CopyTo(image, write.Offset);
        var end = image.Length;
        var fuzzer = new Fuzzer(image, [(440, 72), (512, 96), (512, 96), (1024, 512), (end - 512, 96), (end - 33 * 512, 512)]);
        var summary = fuzzer.Run(25_000, _ => Attempt(new ArrayDisk(image)), RepairChecksums);
        output.WriteLine(summary);
        Assert.Contains("gptDamaged", summary, StringComparison.Ordinal);
        Assert.Contains("gptInvalid", summary, StringComparison.Ordinal);
        Assert.Contains("Gpt ", summary, StringComparison.Ordinal);

        void RepairChecksums(Fuzzer fuzz)
        {
            foreach (var (header, entries) in new[] { (512, 1024), (end - 512, end - 33 * 512) })
            {
                fuzz.Write(header + 88, BitConverter.GetBytes(Crc32.Ieee(image.AsSpan(entries, 128 * 128))));
                fuzz.Write(header + 16, new byte[4]);
                fuzz.Write(header + 16, BitConverter.GetBytes(Crc32.Ieee(image.AsSpan(header, 92))));
            }
        }
    }

    [Fact]
    public void Changed_mbrs_are_read_or_refused_and_never_more()
    {
        var image = new byte[1 << 20];
        byte[] entries = [0x80, 0, 0, 0, 7, 0, 0, 0, 64, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 64, 2, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0x83, 0, 0, 0, 64, 4, 0, 0, 0, 2, 0, 0];
        entries.CopyTo(image, 446);
        (image[510], image[511]) = (0x55, 0xAA);
        var fuzzer = new Fuzzer(image, [(440, 72), (446, 64), (446, 64), (0, 64)]);
        var summary = fuzzer.Run(50_000, _ => Attempt(new ArrayDisk(image)));
        output.WriteLine(summary);
        Assert.Contains("mbrInvalid", summary, StringComparison.Ordinal);
        Assert.Contains("Mbr ", summary, StringComparison.Ordinal);
    }

    [Fact]
    public void Changed_chains_of_logical_partitions_are_read_or_refused_and_never_more()
    {
        var image = new byte[1 << 20];
        HandMadeChain.Entry(image, 0, 0x83, 8, 16);
        HandMadeChain.Entry(image, 1, 0x0F, 64, 1900);
        var hot = new List<(int, int)> { (446, 64) };
        for (var i = 0; i < 24; i++)
        {
            var at = (64 + i * 64) * 512;
            HandMadeChain.Entry(image.AsSpan(at, 512), 0, 0x83, 8, 40);
            if (i < 23)
                HandMadeChain.Entry(image.AsSpan(at, 512), 1, 0x05, (uint)(i + 1) * 64, 48);
            hot.Add((at + 446, 64));
        }
        var summary = new Fuzzer(image, [.. hot]).Run(50_000, _ => Attempt(new ArrayDisk(image)));
        output.WriteLine(summary);
        Assert.Contains("mbrInvalid", summary, StringComparison.Ordinal);
        Assert.Contains("Mbr ", summary, StringComparison.Ordinal);
    }

    /// <summary>Whatever was read must keep its promises.</summary>
    private static string Attempt(ArrayDisk disk)
    {
        var reading = PartitionTables.Read(disk);
        if (reading is not PartitionTableReading.Found { Layout: var layout })
            return ((PartitionTableReading.Unusable)reading).Failure.Code;
        long end = 0;
        foreach (var (offset, length) in layout.Partitions.Select(partition => (partition.Offset, partition.Length))
            .Concat(layout.RawRegions.Select(region => (region.Offset, region.Length))).Order())
        {
            Assert.True(offset >= end && length > 0 && offset + length <= disk.SizeBytes && offset % 512 == 0 && length % 512 == 0, $"{offset}+{length} after {end}");
            end = offset + length;
        }
        Assert.Equal(layout.Partitions.Count, layout.Partitions.Select(partition => partition.Number).Distinct().Count());
        Assert.True(layout.RawRegions.Count <= 520);
        Assert.True(layout.RawRegions.Sum(region => region.Length) <= 4 << 20);
        Assert.Equal(layout.RawRegions.OrderBy(region => region.Offset), layout.RawRegions);
        if (layout.Gpt is { } table && GptWriter.MinimumDiskBytes(table) <= disk.SizeBytes)
            foreach (var write in GptWriter.Rebuild(table, disk.SizeBytes, 512))
                Assert.True(write.Offset >= 0 && write.Offset + write.Bytes.Length <= disk.SizeBytes);
        return layout.Scheme.ToString();
    }
}
