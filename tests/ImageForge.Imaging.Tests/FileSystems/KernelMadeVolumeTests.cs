using ImageForge.Imaging.Disks;
using ImageForge.Imaging.FileSystems;

namespace ImageForge.Imaging.Tests.FileSystems;

/// <summary>Volumes from a virtual machine (KernelMade/README.md): what mkfs and its companions never leave behind.</summary>
public sealed class KernelMadeVolumeTests
{
    private const long MiB = 1 << 20;

    [Fact]
    public void F2fs_with_changes_in_a_compact_summary_equals_partclones()
    {
        using var volume = MadeVolume.FromKernel("f2fs-unmounted", 112 * MiB);
        using (var disk = ImageFileDevice.OpenForReading(volume.Image))
        using (var reader = new VolumeReader(disk, 0, disk.SizeBytes, CancellationToken.None))
        {
            var checkpoint = F2fsCheckpoint.Read(reader, F2fsSuperblock.Read(reader));
            Assert.True(checkpoint.Flags.HasFlag(F2fsCheckpointFlags.Compact | F2fsCheckpointFlags.Unmounted));
            Assert.NotEmpty(checkpoint.ReadSitJournal(reader));
        }
        var ours = volume.Identify();
        Assert.Equal((null, "Guest", FileSystemKind.F2fs), (ours.Note, ours.Label, ours.Kind));
        Judges.AssertAgreesWithPartclone(volume, ours, "f2fs", allowedExtra: F2fsUsedMapTests.EndsOfNodeLogs);
        Judges.AssertSurvivesRestore(volume, ours, "fsck.f2fs", "--dry-run");
    }

    [Fact]
    public void F2fs_after_a_power_cut_behind_an_fsync_is_taken_whole()
    {
        using var volume = MadeVolume.FromKernel("f2fs-power-cut", 112 * MiB);
        Judges.AssertTakenWhole(volume.Identify(), FileSystemKind.F2fs, "not unmounted cleanly", VolumeState.JournalPending);
    }

    [Fact]
    public void Xfs_version_4_equals_partclones()
    {
        using var volume = MadeVolume.FromKernel("xfs-version-4", 64 * MiB);
        var ours = volume.Identify();
        Assert.Equal((null, "Guest", FileSystemKind.Xfs), (ours.Note, ours.Label, ours.Kind));
        Judges.AssertAgreesWithPartclone(volume, ours, "xfs", allowedExtra: XfsUsedMapTests.FreeListBytes(volume.Image));
        Judges.AssertCheckerPasses(volume, ours, "xfs_repair", "-n", "-f");
    }
}
