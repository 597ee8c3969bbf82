using ImageForge.Imaging.Disks;
using ImageForge.Imaging.FileSystems;

namespace ImageForge.Imaging.Tests.FileSystems;

/// <summary>When the free-space lists of an XFS may be believed: only behind an unmount record at the log's head.</summary>
public sealed class XfsStateTests
{
    private const long MiB = 1 << 20;

    [Theory]
    [InlineData("-l size=8m")]
    [InlineData("-l size=8m,su=64k")]
    public void A_power_cut_is_noticed_and_an_unmount_is_clean_again(string options)
    {
        using var volume = MadeVolume.Xfs(64 * MiB, options, files: 50);
        var cut = volume.CutPowerDuring(folder =>
        {
            for (var i = 0; i < 200; i++)
                File.WriteAllText(Path.Combine(folder, $"new{i}"), "content");
            Shell.Run("sync", "-f", folder);
        });
        Judges.AssertTakenWhole(Identify(cut), FileSystemKind.Xfs, "not unmounted cleanly", VolumeState.JournalPending);
        Assert.Null(volume.Identify().Note);
    }

    [Fact]
    public void A_mounted_file_system_that_does_nothing_is_not_clean()
    {
        using var volume = MadeVolume.Xfs(64 * MiB, "", files: 50);
        var cut = volume.CutPowerDuring(folder =>
        {
            File.WriteAllText(Path.Combine(folder, "one"), "content");
            Shell.Run("sync", "-f", folder);
        });
        Judges.AssertTakenWhole(Identify(cut), FileSystemKind.Xfs, "not unmounted cleanly", VolumeState.JournalPending);
    }

    [Fact]
    public void A_log_is_read_at_every_turn_of_the_ring()
    {
        // A small log whose every record is padded to the stripe unit, so that the head passes its end several times.
        using var volume = MadeVolume.Xfs(40 * MiB, "-b size=1024 -l size=6m,su=64k", files: 20);
        for (var round = 0; round < 20; round++)
        {
            var cut = volume.CutPowerDuring(folder =>
            {
                for (var i = 0; i < 8; i++)
                {
                    File.WriteAllText(Path.Combine(folder, $"f{i}"), $"{round}");
                    Shell.Run("sync", "-f", folder);
                }
            });
            Assert.NotNull(Identify(cut).Note);
            Assert.True(volume.Identify().Note is null, $"round {round}");
        }
        Assert.Contains("<CLEAN>", Shell.Run("xfs_logprint", "-t", volume.Image), StringComparison.Ordinal);
        Assert.InRange(TurnOfTheLog(volume), 3u, 100u);
    }

    [Fact]
    public void A_log_that_was_zeroed_is_clean()
    {
        using var volume = MadeVolume.Xfs(64 * MiB, "", files: 50);
        Shell.Run("xfs_repair", "-L", "-f", volume.Image);
        Assert.Null(volume.Identify().Note);
        Shell.Run("xfs_db", "-x", "-c", "uuid generate", volume.Image);
        Assert.Null(volume.Identify().Note);
    }

    [Fact]
    public void A_log_elsewhere_and_a_realtime_device_are_noted()
    {
        using var other = MadeVolume.Ext("ext2", 64 * MiB, "", files: 0);
        using var logged = MadeVolume.Xfs(64 * MiB, $"-l logdev={other.Image},size=16m", files: 0);
        Judges.AssertTakenWhole(logged.Identify(), FileSystemKind.Xfs, "log is on another device");
        using var realtime = MadeVolume.Xfs(64 * MiB, $"-m rmapbt=0 -r rtdev={other.Image}", files: 0);
        Judges.AssertTakenWhole(realtime.Identify(), FileSystemKind.Xfs, "realtime device");
    }

    [Theory]
    [InlineData("agf 1", "freeblks 77", "does not add up")]
    [InlineData("agf 1", "bnoroot 0", "is damaged")]
    [InlineData("agf 1", "bnolevel 200", "levels")]
    [InlineData("agf 1", "length 5000", "is damaged")]
    [InlineData("sb 0", "dblocks 99999999", "size does not fit")]
    [InlineData("sb 0", "agcount 400", "allocation groups")]
    [InlineData("sb 0", "logstart 0x7fffffff", "log lies outside")]
    public void What_contradicts_itself_is_not_believed(string structure, string field, string note)
    {
        using var volume = MadeVolume.Xfs(64 * MiB, "", files: 0);
        // With its checksum made right again.
        Shell.Run("xfs_db", "-x", "-c", structure, "-c", $"write -d {field}", volume.Image);
        Judges.AssertTakenWhole(volume.Identify(), FileSystemKind.Unknown, note);
    }

    [Fact]
    public void Features_not_known_here_are_noted()
    {
        using var volume = MadeVolume.Xfs(64 * MiB, "", files: 0);
        Shell.Run("xfs_db", "-x", "-c", "sb 0", "-c", "write -d features_incompat 0x40000003", volume.Image);
        Judges.AssertTakenWhole(volume.Identify(), FileSystemKind.Xfs, "incompat 0x40000000");
    }

    private static VolumeContent Identify(byte[] bytes) => VolumeProbe.Identify(MemoryDisk.Of(bytes), 0, bytes.Length, CancellationToken.None);

    private static uint TurnOfTheLog(MadeVolume volume)
    {
        using var disk = ImageFileDevice.OpenForReading(volume.Image);
        using var reader = new VolumeReader(disk, 0, disk.SizeBytes, CancellationToken.None);
        var super = XfsSuperblock.Read(reader);
        var (group, block) = (super.LogStart >> super.GroupBlocksLog, super.LogStart & ((1UL << super.GroupBlocksLog) - 1));
        return reader.Read(super.ByteOf((uint)group, (long)block), 512).Be32(4);
    }
}
