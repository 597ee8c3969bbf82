using System.Numerics;
using ImageForge.Imaging.Disks;
using ImageForge.Imaging.FileSystems;
using ImageForge.Imaging.Tests.FileSystems;
using Xunit.Abstractions;

namespace ImageForge.Imaging.Tests.Fuzzing;

/// <summary>XFS, btrfs, F2FS with changed metadata, mostly with its checksums made right again: read, noted or refused, always in bounded time.</summary>
public sealed class LinuxFileSystemFuzzTests(ITestOutputHelper output)
{
    private const int MiB = 1 << 20;

    [Fact]
    public void Changed_xfs_are_read_or_taken_whole()
    {
        using var volume = MadeVolume.Xfs(32 * MiB, "-b size=1024 -d agcount=2", files: 60);
        FreeEverySecondBlock(volume);
        var image = volume.ReadAll();
        Assert.Null(volume.Identify().Note);
        var group = (int)image.Be32(84) * 1024;
        var roots = new[] { 0, group }.Select(start => start + 1024 * (int)image.Be32(start + 512 + 16)).ToArray();
        // Leaves below a root of two levels: their block numbers stand behind room for 80 keys.
        var leaves = roots.Where(root => image.Be16(root + 4) == 1).SelectMany(root => Enumerable.Range(0, image.Be16(root + 6))
            .Select(i => (root == roots[0] ? 0 : group) + 1024 * (int)image.Be32(root + 56 + 80 * 8 + 4 * i))).ToArray();
        Assert.NotEmpty(leaves);
        var log = (int)(image.Be64(48) >> image[124]) * group + (int)(image.Be64(48) & ((1UL << image[124]) - 1)) * 1024;
        AssertSharedBranchIsFound(image, roots.First(root => image.Be16(root + 4) == 1) + 56 + 80 * 8, 4, fuzz => Array.ForEach(roots, root => Seal(fuzz, image, root, 1024, 52)));
        (int, int)[] hot = [(0, 264), (0, 264), (84, 48), (512, 100), (group + 512, 100), (roots[0], 120), (roots[1], 120), (roots[1], 120), (log, 512), (log + 512, 512), .. leaves.Select(leaf => (leaf, 120))];
        Fuzz(image, hot, 5_000, fuzz =>
        {
            Seal(fuzz, image, 0, 512, 224);
            foreach (var start in new[] { 512, group + 512 })
                Seal(fuzz, image, start, 512, 216);
            foreach (var root in roots.Concat(leaves))
                Seal(fuzz, image, root, 1024, 52);
        });
    }

    [Fact]
    public void Changed_btrfs_are_read_or_taken_whole()
    {
        using var volume = MadeVolume.Btrfs(32 * MiB, "--mixed -n 4096", files: 300);
        var image = volume.ReadAll();
        Assert.Null(volume.Identify().Note);
        const int super = BtrfsSuperblock.Offset;
        // The nodes of root, extent and chunk tree (1, 2, 3) that were written last, and the chunk tree's root.
        var nodes = Enumerable.Range(0, image.Length / 4096).Select(i => i * 4096).Where(at => at != super && image.AsSpan(at + 32, 16).SequenceEqual(image.AsSpan(super + 32, 16))
            && image.U64(at + 88) is 1 or 2 or 3 && (image.U64(at + 80) == image.U64(super + 72) || image.U64(at + 48) == image.U64(super + 88))).ToArray();
        Assert.Contains(nodes, at => image[at + 100] == 1);
        (int, int)[] hot = [(super + 32, 270), (super + 32, 170), (super + 811, 140), .. nodes.SelectMany(at => new[] { (at + 48, 60), (at + 101, 400), (at + 1024, 3072) })];
        // Of the extent tree, which is walked for the map, and with two entries to make one of: which node lies first is chance.
        AssertSharedBranchIsFound(image, nodes.First(at => image[at + 100] == 1 && image.U64(at + 88) == 2 && image.U32(at + 96) >= 2) + 101, 33, SealNodes);
        Fuzz(image, hot, 5_000, SealNodes);
        void SealNodes(Fuzzer fuzz)
        {
            foreach (var at in nodes.Prepend(super))
            {
                var sum = new byte[32];
                var length = BtrfsChecksum.Compute(BtrfsChecksumKind.Crc32C, image.AsSpan(at + 32, 4096 - 32), sum);
                fuzz.Write(at, sum.AsSpan(0, length));
            }
        }
    }

    [Fact]
    public void Changed_f2fs_are_read_or_taken_whole()
    {
        using var volume = MadeVolume.F2fs(64 * MiB, "", files: 40);
        var image = volume.ReadAll();
        Assert.Null(volume.Identify().Note);
        var (checkpoint, table) = ((int)image.U32(1024 + 76) * 4096, (int)image.U32(1024 + 80) * 4096);
        var half = (int)image.U32(1024 + 56) / 2 * 512 * 4096;
        var packs = new[] { checkpoint, checkpoint + 512 * 4096 };
        (int, int)[] hot =
        [
            (1024, 104), (1024, 104), (1024 + 2176, 32), (table, 2048), (table + half, 2048),
            .. packs.SelectMany(pack => new[] { (pack, 256), (pack, 256), (pack + 128, 80), (pack + ((int)image.U32(pack + 136) - 5) * 4096 + 3584, 500) }),
        ];
        Fuzz(image, hot, 4_000, fuzz =>
        {
            foreach (var pack in packs)
                foreach (var block in new[] { pack, pack + ((int)Math.Clamp(image.U32(pack + 136), 1, 512) - 1) * 4096 })
                    fuzz.Write(block + 4092, BitConverter.GetBytes(F2fsSuperblock.Checksum(image.AsSpan(block, 4092))));
        });
    }

    /// <summary>Two entries of a branch that lead to the same place, with all checksums right: not read twice, and so not endlessly many times.</summary>
    private static void AssertSharedBranchIsFound(byte[] image, int entries, int size, Action<Fuzzer> seal)
    {
        var fuzz = new Fuzzer(image, []);
        fuzz.Write(entries + size, image.AsSpan(entries, size).ToArray());
        seal(fuzz);
        var content = VolumeProbe.Identify(new ArrayDisk(image), 0, image.Length, CancellationToken.None);
        fuzz.Restore();
        Judges.AssertTakenWhole(content, FileSystemKind.Unknown, "not in order");
    }

    /// <summary>So many holes that their lists need a tree of two levels.</summary>
    private static void FreeEverySecondBlock(MadeVolume volume) => volume.CutPowerDuring(folder =>
    {
        for (var i = 0; i < 1500; i++)
            File.WriteAllBytes(Path.Combine(folder, $"f{i}"), new byte[1000]);
        Shell.Run("sync", "-f", folder);
        for (var i = 0; i < 1500; i += 2)
            File.Delete(Path.Combine(folder, $"f{i}"));
    });

    /// <summary>Writes the CRC-32C of a structure into it, as XFS keeps it.</summary>
    private static void Seal(Fuzzer fuzz, byte[] image, int start, int length, int at)
    {
        fuzz.Write(start + at, new byte[4]);
        fuzz.Write(start + at, BitConverter.GetBytes(~Crc32.Castagnoli(~0u, image.AsSpan(start, length))));
    }

    private void Fuzz(byte[] image, (int, int)[] hot, int cases, Action<Fuzzer> repair)
    {
        var volumes = new int[] { image.Length, image.Length / 2 / 4096 * 4096, 1 << 16, 4096, 512 };
        var summary = new Fuzzer(image, hot).Run(cases, random =>
        {
            // A partition cut shorter than its file system is damage too.
            var length = volumes[random.Next(10) > 0 ? 0 : random.Next(volumes.Length)];
            var content = VolumeProbe.Identify(new ArrayDisk(image), 0, length, CancellationToken.None);
            Assert.True(BitOperations.IsPow2(content.BlockSize) && content.BlockSize >= 512);
            Assert.Equal((length + content.BlockSize - 1L) / content.BlockSize, content.Used.BlockCount);
            if (content.Note is not null)
                Assert.Equal(content.Used.BlockCount, content.Used.CountUsed());
            Assert.True(content.Used[0]);
            return content.Kind == FileSystemKind.Unknown ? "refused" : content.Note is null ? "read" : "noted";
        }, repair);
        output.WriteLine(summary);
        Assert.Contains("refused", summary, StringComparison.Ordinal);
        Assert.Contains("noted", summary, StringComparison.Ordinal);
        Assert.Contains("read", summary, StringComparison.Ordinal);
    }
}
