using ImageForge.Imaging.Disks;
using ImageForge.Imaging.FileSystems;

namespace ImageForge.Imaging.Tests.FileSystems;

/// <summary>Real F2FS, made by mkfs.f2fs and filled by sload.f2fs; judged by partclone, fsck.f2fs and the files as dump.f2fs reads them.</summary>
public sealed class F2fsUsedMapTests
{
    private const long MiB = 1 << 20;

    /// <summary>The next free block of each of three logs.</summary>
    internal const int EndsOfNodeLogs = 3 * 4096;

    [Theory]
    [InlineData(128, "")]
    [InlineData(200, "-s 2 -z 2")]
    [InlineData(128, "-w 4096 -a 1")]
    [InlineData(128, "-O extra_attr,inode_checksum,sb_checksum,inode_crtime,lost_found,project_quota")]
    [InlineData(128, "-O extra_attr,compression,casefold -C utf8")]
    public void Map_equals_partclones(int mebibytes, string options)
    {
        using var volume = MadeVolume.F2fs(mebibytes * MiB, options);
        var ours = AssertRead(volume);
        Judges.AssertAgreesWithPartclone(volume, ours, "f2fs", allowedExtra: (128 << 10) + EndsOfNodeLogs);
    }

    // partclone 0.3.23 miscalculates the checksum that stands before the bitmaps, and refuses what is smaller than 100 MiB.
    [Theory]
    [InlineData(200, "-i -O extra_attr")]
    [InlineData(64, "-O encrypt,verity")]
    public void Volumes_partclone_cannot_read_pass_their_checker(int mebibytes, string options)
    {
        using var volume = MadeVolume.F2fs(mebibytes * MiB, options, files: 30);
        AssertRead(volume);
    }

    [Fact]
    public void A_damaged_first_superblock_leaves_the_second()
    {
        using var volume = MadeVolume.F2fs(64 * MiB, "-O extra_attr,sb_checksum", files: 20);
        var (image, good) = (volume.ReadAll(), volume.Identify());
        image[1024 + 200] ^= 1;
        var read = Identify(image);
        Assert.Equal((null, good.Uuid, good.Used.CountUsed()), (read.Note, read.Uuid, read.Used.CountUsed()));
        image[4096 + 1024 + 200] ^= 1;
        Judges.AssertTakenWhole(Identify(image), FileSystemKind.Unknown, "wrong checksum");
    }

    [Fact]
    public void Sectors_of_4096_bytes_and_a_longer_volume_change_nothing_but_the_end()
    {
        using var volume = MadeVolume.F2fs(64 * MiB, "-w 4096", files: 20);
        var alone = volume.Identify();
        using (var file = File.OpenWrite(volume.Image))
            file.SetLength(100 * MiB);
        var ours = VolumeProbe.Identify(MemoryDisk.Of(volume.ReadAll(), 4096), 0, 100 * MiB, CancellationToken.None);
        Assert.Contains("ends 36 MiB before its partition", ours.Note, StringComparison.Ordinal);
        Assert.Equal(alone.BlockSize, ours.BlockSize);
        Assert.Equal(alone.Used.CountUsed(0, 62 * MiB / 4096), ours.Used.CountUsed(0, 62 * MiB / 4096));
        Assert.InRange(ours.Used.CountUsed(64 * MiB / 4096, 36 * MiB / 4096), MiB / 4096, 2 * MiB / 4096);
    }

    [Fact]
    public void The_blocks_where_a_mount_looks_for_fsynced_nodes_are_the_sources_own()
    {
        using var volume = MadeVolume.F2fs(64 * MiB, "", files: 20);
        var (image, ours) = (volume.ReadAll(), volume.Identify());
        var packs = new[] { 0, 512 }.Select(at => (int)(image.U32(1024 + 76) + at) * 4096);
        var newest = packs.MaxBy(pack => image.U64(pack));
        Assert.Equal(4096, ours.BlockSize);
        foreach (var log in new[] { 0, 1, 2 })
            Assert.True(ours.Used[image.U32(1024 + 92) + image.U32(newest + 36 + 4 * log) * 512L + image.U16(newest + 68 + 2 * log)], $"log {log}");
    }

    // A checkpoint's flags stand at 132; its checksum at the block's end is that of everything before.
    [Theory]
    [InlineData(0x1u, false, "not unmounted cleanly", VolumeState.JournalPending)]
    [InlineData(0x10u, true, "having errors", VolumeState.Errors)]
    [InlineData(0x1000u, true, "disabled", VolumeState.Dirty)]
    public void A_checkpoint_that_is_not_the_last_word_is_not_believed(uint flag, bool set, string note, VolumeState state)
    {
        using var volume = MadeVolume.F2fs(64 * MiB, "", files: 0);
        var image = volume.ReadAll();
        var checkpoint = (int)image.U32(1024 + 76) * 4096;
        foreach (var pack in new[] { checkpoint, checkpoint + (512 * 4096) })
        {
            if (image.U32(pack + 164) != 4092)
                continue;
            BitConverter.TryWriteBytes(image.AsSpan(pack + 132), set ? image.U32(pack + 132) | flag : image.U32(pack + 132) & ~flag);
            SealCheckpoint(image.AsSpan(pack, 4096));
        }
        Judges.AssertTakenWhole(Identify(image), FileSystemKind.F2fs, note, state);
    }

    [Fact]
    public void Valid_blocks_that_do_not_add_up_are_not_believed()
    {
        using var volume = MadeVolume.F2fs(64 * MiB, "", files: 0);
        var image = volume.ReadAll();
        var table = (int)image.U32(1024 + 80) * 4096;
        // In both copies of the first block; six at most are overruled by the checkpoint.
        foreach (var block in new[] { table, table + (int)image.U32(1024 + 56) / 2 * 512 * 4096 })
            for (var entry = 0; entry < 20; entry++)
                image[block + entry * 74 + 2] ^= 0x80;
        Judges.AssertTakenWhole(Identify(image), FileSystemKind.Unknown, "segment table contradicts itself");
    }

    [Fact]
    public void Several_devices_and_what_is_not_known_here_are_taken_whole()
    {
        using var other = MadeVolume.Ext("ext2", 128 * MiB, "", files: 0);
        using var several = MadeVolume.F2fs(128 * MiB, $"-f -c {other.Image}", files: 0);
        Judges.AssertTakenWhole(several.Identify(), FileSystemKind.F2fs, "several devices");
        using var volume = MadeVolume.F2fs(64 * MiB, "", files: 0);
        foreach (var (feature, note) in new[] { (0x80000000u, "0x80000000"), (0x2u, "zoned"), (0x4000u, "read-only") })
        {
            var image = volume.ReadAll();
            BitConverter.TryWriteBytes(image.AsSpan(1024 + 2180), feature);
            Judges.AssertTakenWhole(Identify(image), FileSystemKind.F2fs, note);
        }
    }

    private static VolumeContent AssertRead(MadeVolume volume)
    {
        var ours = volume.Identify();
        Assert.Equal((null, "Jüdge", FileSystemKind.F2fs), (ours.Note, ours.Label, ours.Kind));
        Assert.Contains($"UUID={ours.Uuid}\n", Shell.Run("blkid", "-p", "-o", "export", volume.Image), StringComparison.Ordinal);
        Judges.AssertSurvivesRestore(volume, ours, "fsck.f2fs", "--dry-run");
        return ours;
    }

    internal static void SealCheckpoint(Span<byte> block) => BitConverter.TryWriteBytes(block[4092..], F2fsSuperblock.Checksum(block[..4092]));

    private static VolumeContent Identify(byte[] bytes) => VolumeProbe.Identify(MemoryDisk.Of(bytes), 0, bytes.Length, CancellationToken.None);
}
