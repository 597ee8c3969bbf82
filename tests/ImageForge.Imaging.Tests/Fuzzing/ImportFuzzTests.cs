using System.Buffers.Binary;
using System.Text;
using ImageForge.Contracts;
using ImageForge.Imaging.Disks;
using ImageForge.Imaging.Imports;
using ImageForge.Imaging.Imports.Clonezilla;
using ImageForge.Imaging.Imports.Fog;
using ImageForge.Imaging.Imports.Partclone;
using ImageForge.Imaging.Imports.Tables;
using ImageForge.Imaging.Tests.Doubles;
using ImageForge.Imaging.Tests.FileSystems;
using Xunit.Abstractions;

namespace ImageForge.Imaging.Tests.Fuzzing;

/// <summary>What other programs wrote, changed: a sentence or an import, nothing outside the partition, no memory for what only a header claims.</summary>
public sealed class ImportFuzzTests(ITestOutputHelper output)
{
    private const int Guard = 64 << 10;

    /// <summary>What the fuzzer copies may begin anywhere in a hot range: none ends with its file.</summary>
    private const int Slack = 80;

    [Theory]
    [InlineData("-k 5", 6_000)]
    [InlineData("-k 3 -K", 2_000)]
    [InlineData("-a 0", 3_000)]
    public void Changed_partclone_images_are_restored_or_refused(string options, int cases)
    {
        using var volume = MadeVolume.Ext("ext2", 512 << 10, "-b 1024 -N 16", files: 0);
        Shell.Run("partclone.extfs", ["-c", "-s", volume.Image, "-O", volume.Image + ".pcl", "-L", volume.Image + ".log", .. options.Split(' ')]);
        var image = File.ReadAllBytes(volume.Image + ".pcl");
        var bitmap = (512 + 7) / 8;
        Fuzz(image, [(16, 94), (52, 58), (84, 26), (110, bitmap + 8), (110 + bitmap, 2000)], cases, fuzzer =>
        {
            Repair(fuzzer, image, 106, 0, 106);
            Repair(fuzzer, image, 110 + bitmap, 110, bitmap);
        });
    }

    [Fact]
    public void Changed_images_of_the_first_format_are_restored_or_refused()
    {
        var random = new Random(1);
        using var made = new MemoryStream();
        var header = new byte[4160];
        "partclone-image"u8.CopyTo(header);
        "EXTFS"u8.CopyTo(header.AsSpan(15));
        "0001"u8.CopyTo(header.AsSpan(30));
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(36), 512);
        BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(40), 100 * 512);
        BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(48), 100);
        made.Write(header);
        for (var i = 0; i < 100; i++)
            made.WriteByte((byte)(i % 3 == 0 ? 1 : 0));
        made.Write("BiTmAgIc"u8);
        var crc = PartcloneCrc.Seed;
        for (var i = 0; i < 100; i += 3)
        {
            var block = new byte[512];
            random.NextBytes(block);
            crc = PartcloneCrc.UpdateAs0001(crc, block);
            made.Write(block);
            made.Write(BitConverter.GetBytes(crc));
        }
        Fuzz(made.ToArray(), [(15, 50), (36, 28), (36, 28), (4160, 108), (4268, 2000)], 4_000, null);
    }

    [Theory]
    [InlineData("label: gpt\nlabel-id: 0E63D1AA-A8B4-4D91-A001-679409116352\ndevice: /dev/sda\nunit: sectors\nfirst-lba: 34\nlast-lba: 327646\nsector-size: 512\n\n/dev/sda1 : start=        2048, size=       81920, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B, uuid=EA6B87BC-3976-4F47-A72E-793C9CEC6303, name=\"EFI \\x22x\\x22, y\", attrs=\"RequiredPartition GUID:60,63\"\n/dev/sda2 : start=       83968, size=      163840, type=0FC63DAF-8483-4772-8E79-3D69D8477DE4\n")]
    [InlineData("label: dos\nlabel-id: 0x1234abcd\ndevice: /dev/sda\nunit: sectors\n\n/dev/sda1 : start=        2048, size=       81920, type=7, bootable\n/dev/sda2 : start=       83968, size=      307200, type=5\n/dev/sda5 : start=       86016, size=       81920, type=83\n/dev/sda6 : start=      169984, size=       40960, type=82\n/dev/sda7 : start=      212992, size=       81920, type=c\n")]
    [InlineData("# partition table of /dev/sda\nunit: sectors\n\n/dev/sda1 : start=       63, size=   204800, Id= 7, bootable\n/dev/sda2 : start=        0, size=        0, Id= 0\n/dev/sda3 : start=   204863, size=   409600, Id= f\n/dev/sda5 : start=   204926, size=   204800, Id=83\n")]
    public void Changed_dumps_of_sfdisk_become_tables_that_can_be_read_or_a_sentence(string dump)
    {
        var text = Encoding.UTF8.GetBytes(dump + new string('\n', Slack));
        var partitions = dump.IndexOf("/dev/sda1", StringComparison.Ordinal);
        var summary = new Fuzzer(text, [(0, dump.Length), (partitions, dump.Length - partitions)]).Run(8_000, random => Outcome(() =>
        {
            var parsed = SfdiskDump.Parse("d1.partitions", Encoding.UTF8.GetString(text));
            Assert.True(parsed.Partitions.Count <= 256 && parsed.EndSector < 1L << 42);
            if (parsed.Scheme == PartitionScheme.Gpt)
            {
                var table = GptFromDump.Make("d1.partitions", parsed, null);
                if (table.DiskSectors < 1 << 22)
                    _ = GptWriter.Rebuild(table, table.DiskSectors * table.SectorSize, table.SectorSize);
            }
            else
            {
                var end = Math.Max(parsed.EndSector, 1) * parsed.SectorSize;
                Assert.All(MbrFromDump.Make("d1.partitions", parsed, null, null), write => Assert.InRange(write.Offset, 0, end));
            }
        }));
        output.WriteLine(summary);
        Assert.Contains("read", summary, StringComparison.Ordinal);
        Assert.Contains("refused", summary, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Changed_folders_are_imported_or_refused_and_leave_no_file(bool fog)
    {
        using var folder = new TempFolder();
        var image = Directory.CreateDirectory(Path.Combine(folder.Path, "image")).FullName;
        var temporary = Directory.CreateDirectory(Path.Combine(folder.Path, "temporary")).FullName;
        var disk = Path.Combine(folder.Path, "sda");
        using (var file = File.Create(disk))
            file.SetLength(8 << 20);
        var script = Path.Combine(folder.Path, "script");
        File.WriteAllText(script, "label: gpt\nstart=2048, size=2048, type=L, name=one\nstart=4096, size=2048, type=S\n");
        Shell.Run("bash", "-c", $"sfdisk -q {disk} < {script}");
        Shell.Run("bash", "-c", $"sfdisk -d {disk} | sed 's#{disk}#/dev/sda#g' > {image}/{(fog ? "d1.partitions" : "sda-pt.sf")}");
        Shell.Run("bash", "-c", fog ? $"sgdisk -b {image}/d1.mbr {disk}; echo '/dev/sda2 11111111-2222-3333-4444-555555555555' > {image}/d1.original.swapuuids; echo 1:8388608 > {image}/d1.size"
            : $"dd if={disk} of={image}/sda-gpt-1st bs=512 count=34 status=none; echo sda > {image}/disk; printf 'Disk /dev/sda: 16384s\\nSector size (logical/physical): 512B/512B\\n' > {image}/sda-pt.parted; printf 'UUID=\"11111111-2222-3333-4444-555555555555\"\\nLABEL=\"x\"\\n' > {image}/swappt-sda2.info");
        File.WriteAllBytes(Path.Combine(image, fog ? "d1p1.img" : "sda1.dd-img.aa"), new byte[4096]);

        var files = Directory.GetFiles(image).Order(StringComparer.Ordinal).Select(path => (Path: path, Bytes: File.ReadAllBytes(path))).ToList();
        var all = files.SelectMany(file => file.Bytes).Concat(new byte[Slack]).ToArray();
        var starts = files.Select((_, i) => files.Take(i).Sum(file => file.Bytes.Length)).ToList();
        var hot = files.Select((file, i) => (starts[i], Math.Min(file.Bytes.Length, 1200))).Where(range => range.Item2 > 12).ToArray();
        var summary = new Fuzzer(all, hot).Run(400, random =>
        {
            for (var i = 0; i < files.Count; i++)
                File.WriteAllBytes(files[i].Path, all.AsSpan(starts[i], files[i].Bytes.Length));
            return Outcome(() =>
            {
                var options = new ImportOptions(temporary);
                using var imported = fog ? FogFolder.Open(image, options, CancellationToken.None) : ClonezillaFolder.Open(image, options, CancellationToken.None);
                Assert.True(imported.Disk.IsReadOnly);
            });
        });
        output.WriteLine(summary);
        Assert.Contains("read", summary, StringComparison.Ordinal);
        Assert.Contains("refused", summary, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(temporary));
    }

    private void Fuzz(byte[] image, (int, int)[] hot, int cases, Action<Fuzzer>? repair)
    {
        var summary = new Fuzzer(image, hot).Run(cases, random =>
        {
            // A stream cut off anywhere is damage too.
            var length = random.Next(8) == 0 ? random.Next(image.Length) : image.Length;
            using var target = new MemoryDisk(Guard + (512 << 10) + Guard);
            var before = GC.GetAllocatedBytesForCurrentThread();
            var outcome = Outcome(() => PartcloneReader.Open("fuzzed", new MemoryStream(image, 0, length)).Restore(target, Guard, 512 << 10, (_, _) => { }, CancellationToken.None));
            Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 64 << 20, "memory for what a header only claimed");
            var guard = new byte[Guard];
            target.Read(0, guard);
            Assert.False(guard.AsSpan().ContainsAnyExcept((byte)0), "written before the partition");
            target.Read(Guard + (512 << 10), guard);
            Assert.False(guard.AsSpan().ContainsAnyExcept((byte)0), "written behind the partition");
            return outcome;
        }, repair);
        output.WriteLine(summary);
        Assert.Contains("read", summary, StringComparison.Ordinal);
        Assert.Contains("refused", summary, StringComparison.Ordinal);
    }

    private static void Repair(Fuzzer fuzzer, byte[] image, int at, int from, int length)
    {
        Span<byte> crc = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(crc, PartcloneCrc.Update(PartcloneCrc.Seed, image.AsSpan(from, length)));
        fuzzer.Write(at, crc);
    }

    private static string Outcome(Action attempt)
    {
        try
        {
            attempt();
            return "read";
        }
        catch (FailureException refused)
        {
            Assert.False(string.IsNullOrWhiteSpace(refused.Failure.Cure));
            return "refused";
        }
    }
}
