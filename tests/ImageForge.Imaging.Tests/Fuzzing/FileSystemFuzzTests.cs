using System.Numerics;
using ImageForge.Imaging.Disks;
using ImageForge.Imaging.FileSystems;
using ImageForge.Imaging.Tests.FileSystems;
using Xunit.Abstractions;

namespace ImageForge.Imaging.Tests.Fuzzing;

public sealed class FileSystemFuzzTests(ITestOutputHelper output)
{
    private const int KiB = 1 << 10;

    [Theory]
    [InlineData("-F 12", FileSystemKind.Fat12, 25_000)]
    [InlineData("-F 16 -s 1 -f 1", FileSystemKind.Fat16, 20_000)]
    [InlineData("-F 32 -s 1", FileSystemKind.Fat32, 10_000)]
    public void Changed_fats_are_read_or_taken_whole(string options, FileSystemKind kind, int cases)
    {
        using var volume = MadeVolume.Fat(kind switch { FileSystemKind.Fat12 => 512 * KiB, FileSystemKind.Fat16 => 3072 * KiB, _ => 36 * 1024 * KiB }, options, files: 8);
        var image = volume.ReadAll();
        Assert.Equal(kind, volume.Identify().Kind);
        Fuzz(image, [(0, 90), (0, 90), (11, 40), (512, 2048), (32 * 512, 2048)], cases);
    }

    [Theory]
    [InlineData("-b 1024 -O ^metadata_csum,^resize_inode", 40_000)]
    [InlineData("-b 1024 -g 512 -O ^metadata_csum,uninit_bg,meta_bg,^resize_inode", 20_000)]
    [InlineData("-b 2048 -C 8192 -O ^metadata_csum,bigalloc", 20_000)]
    public void Changed_exts_are_read_or_taken_whole(string options, int cases)
    {
        using var volume = MadeVolume.Ext("ext4", 2048 * KiB, options + ",^has_journal -N 32", files: 8);
        var image = volume.ReadAll();
        var content = volume.Identify();
        Assert.Null(content.Note);
        // Fields of the superblock in use, the first descriptors, and the bitmaps they name.
        var blockSize = 1024 << (int)image.U32(1024 + 0x18);
        var descriptors = blockSize == 1024 ? 2048 : blockSize;
        var bitmap = (int)image.U32(descriptors) * blockSize;
        Fuzz(image, [(1024, 0x110), (1024, 0x60), (1024 + 0x14, 24), (1024 + 0x150, 16), (descriptors, 128), (bitmap, 64)], cases);
    }

    [Theory]
    [InlineData("-c 1024", 50_000)]
    [InlineData("-c 4096", 30_000)]
    public void Changed_ntfs_are_read_or_taken_whole(string options, int cases)
    {
        using var volume = MadeVolume.Ntfs(3072 * KiB, options, files: 8);
        var image = volume.ReadAll();
        Assert.Null(volume.Identify().Note);
        var boot = NtfsBootSector.Parse(image[..512], image.Length);
        var mft = (int)boot.MftCluster * boot.ClusterSize;
        (int, int) Record(int number) => (mft + number * boot.RecordSize, 512);
        Fuzz(image, [(0, 84), (11, 64), Record(0), Record(0), Record(2), Record(3), Record(6), Record(6)], cases);
    }

    /// <summary>The root folder's index, and the records and headers of the files that are skipped.</summary>
    [Theory]
    [InlineData("-c 512", 10_000)]
    [InlineData("-c 4096", 10_000)]
    public void Changed_root_folders_and_memory_files_are_read_or_taken_whole(string options, int cases)
    {
        using var volume = MadeVolume.Ntfs(3072 * KiB, options, files: 4);
        volume.WithMounted(root =>
        {
            // Enough names for index blocks of its own.
            for (var i = 0; i < 60; i++)
                File.WriteAllBytes(Path.Combine(root, $"a-rather-long-name-{i}"), []);
            MemoryFiles.WriteInTurns(Path.Combine(root, "pagefile.sys"), MemoryFiles.Content(1, 60_000), Path.Combine(root, "hiberfil.sys"), MemoryFiles.Content(2, 60_000, new byte[4096]), 8192);
        }, "ntfs-3g");
        var image = volume.ReadAll();
        var content = volume.Identify();
        Assert.Contains("pagefile.sys (", content.Note, StringComparison.Ordinal);
        Assert.Contains("hiberfil.sys (", content.Note, StringComparison.Ordinal);
        var boot = NtfsBootSector.Parse(image[..512], image.Length);
        var mft = (int)boot.MftCluster * boot.ClusterSize;
        var hot = new List<(int, int)> { (mft + 5 * boot.RecordSize, boot.RecordSize), (mft + 5 * boot.RecordSize, boot.RecordSize) };
        for (var at = mft; at < mft + 110 * boot.RecordSize; at += boot.RecordSize)
            if (image.AsSpan(at, boot.RecordSize).IndexOf("h\0i\0b\0e\0r\0f\0i\0l\0"u8) > 0 || image.AsSpan(at, boot.RecordSize).IndexOf("p\0a\0g\0e\0f\0i\0l\0e\0"u8) > 0)
                hot.Add((at, 512));
        for (var at = 0; at < image.Length; at += boot.ClusterSize)
            if (image.AsSpan(at).StartsWith("INDX"u8))
                hot.Add((at, 4096));
        Assert.True(hot.Count >= 5, $"{hot.Count} places");
        Fuzz(image, [.. hot], cases);
    }

    /// <summary>A pagefile.sys whose runs fill several records: its attribute list, the records it names, and the pieces in them.</summary>
    [Fact]
    public void Changed_attribute_lists_are_read_or_taken_whole()
    {
        using var volume = MadeVolume.Ntfs(8 * 1024 * KiB, "-c 512", files: 0);
        volume.WithMounted(root => MemoryFiles.WriteIntoHoles(root, "pagefile.sys", MemoryFiles.Content(1, 800_000)), "ntfs-3g");
        var image = volume.ReadAll();
        Assert.Contains("pagefile.sys (", volume.Identify().Note, StringComparison.Ordinal);
        var hot = new List<(int, int)>();
        for (var at = 0; at < image.Length; at += 512)
        {
            if (!image.AsSpan(at).StartsWith("FILE"u8) || (image[at + 22] & 1) == 0)
                continue;
            var first = at + image.U16(at + 20);
            var hasList = image.AsSpan(first, 200).IndexOf((ReadOnlySpan<byte>)[0x20, 0, 0, 0]) is >= 0 and var list && list % 8 == 0;
            if (image.U64(at + 32) != 0 || hasList && image.AsSpan(at, 1024).IndexOf("p\0a\0g\0e\0f\0"u8) > 0)
                hot.Add((at, 600));
        }
        Assert.True(hot.Count >= 2, $"{hot.Count} records");
        Fuzz(image, [.. hot], 3_000);
    }

    private void Fuzz(byte[] image, (int, int)[] hot, int cases)
    {
        var volumes = new int[] { image.Length, image.Length / 1024 * 512, 4096, 512 };
        var summary = new Fuzzer(image, hot).Run(cases, random =>
        {
            // A partition cut shorter than its file system is damage too.
            var length = volumes[random.Next(10) > 0 ? 0 : random.Next(volumes.Length)];
            var content = VolumeProbe.Identify(new ArrayDisk(image), 0, length, CancellationToken.None);
            Assert.True(BitOperations.IsPow2(content.BlockSize) && content.BlockSize >= 512);
            Assert.Equal((length + content.BlockSize - 1L) / content.BlockSize, content.Used.BlockCount);
            var used = content.Used.CountUsed();
            if (content.Skipped is { } skipped)
            {
                Assert.Equal(content.Used.BlockCount, skipped.BlockCount);
                // Never a block that is not used, nor one of a file system's own at its start, nor of a volume that is not clean.
                Assert.Equal(0, skipped.CountWithout(content.Used, 0, skipped.BlockCount));
                Assert.False(skipped[0] || content.State != VolumeState.Clean);
            }
            if (content.Kind == FileSystemKind.Unknown)
                Assert.Equal(content.Used.BlockCount, used);
            else
                Assert.True(used > 0 && content.Used[0]);
            return content.Kind == FileSystemKind.Unknown ? "refused" : content.Note is null ? "read" : "noted";
        });
        output.WriteLine(summary);
        Assert.Contains("refused", summary, StringComparison.Ordinal);
        Assert.Contains("read", summary, StringComparison.Ordinal);
    }
}
