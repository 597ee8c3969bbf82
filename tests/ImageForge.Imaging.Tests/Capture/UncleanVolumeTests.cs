using ImageForge.Contracts;
using ImageForge.Imaging.Capture;
using ImageForge.Imaging.Disks;
using ImageForge.Imaging.FileSystems;
using ImageForge.Imaging.Tests.Doubles;
using ImageForge.Imaging.Tests.FileSystems;

namespace ImageForge.Imaging.Tests.Capture;

/// <summary>Real file systems that were not closed cleanly: refused before anything is read, or taken with every block.</summary>
public sealed class UncleanVolumeTests
{
    private const long MiB = 1 << 20;

    [Fact]
    public Task An_ext4_copied_while_it_is_mounted_has_a_journal_with_work_left() =>
        AssertPolicyAsync(CopiedWhileMounted("ext4"), "volumeJournalPending", "journal has work left", "e2fsck -p");

    [Fact]
    public Task An_ext2_copied_while_it_is_mounted_was_not_unmounted() =>
        AssertPolicyAsync(CopiedWhileMounted("ext2"), "volumeDirty", "(ext2, \"Judge\")", "e2fsck -p");

    [Fact]
    public async Task An_ext4_with_errors_is_to_be_repaired()
    {
        using var volume = MadeVolume.Ext("ext4", 16 * MiB, "-b 1024", files: 0);
        Shell.Run("debugfs", "-w", "-R", "ssv state 3", volume.Image);
        await AssertPolicyAsync(volume.ReadAll(), "volumeErrors", "having errors", "e2fsck -f");
    }

    [Fact]
    public async Task An_ntfs_marked_dirty_is_to_be_checked()
    {
        using var volume = MadeVolume.Ntfs(20 * MiB, "-c 4096", files: 10);
        // Without -d it leaves the mark, so that Windows checks the volume.
        Shell.Run("ntfsfix", volume.Image);
        await AssertPolicyAsync(volume.ReadAll(), "volumeDirty", "(NTFS, \"Judge\")", "chkdsk /f");
    }

    [Fact]
    public async Task A_hibernated_windows_is_to_be_shut_down()
    {
        using var volume = MadeVolume.Ntfs(20 * MiB, "-c 4096", files: 10);
        volume.WithMounted(root => File.WriteAllBytes(Path.Combine(root, "hiberfil.sys"), MemoryFiles.Content(1, 100_000, [.. "HIBR"u8])), "ntfs-3g");
        await AssertPolicyAsync(volume.ReadAll(), "volumeHibernated", "hibernated", "powercfg /h off");
    }

    [Fact]
    public async Task A_fat_that_was_not_unmounted_is_refused_too_but_its_table_is_trusted()
    {
        using var volume = MadeVolume.Fat(40 * MiB, "-F 32 -s 1", files: 5);
        var bytes = volume.ReadAll();
        // What the kernel sets while it has it mounted.
        bytes[0x41] = 1;
        await AssertPolicyAsync(bytes, "volumeDirty", "(FAT32, \"JUDGE\")", "fsck.fat", wholeIsEveryBlock: false);
    }

    [Fact]
    public async Task Clean_volumes_are_captured_whatever_the_policy()
    {
        using var ntfs = MadeVolume.Ntfs(20 * MiB, "-c 4096", files: 10);
        var (disk, _) = DiskWith(ntfs.ReadAll());
        var store = new MemoryChunkStore();
        await new CaptureEngine(disk, store, new CaptureOptions(Level: 1, Dirty: DirtyVolumes.Refuse)).RunAsync(CancellationToken.None);
        Assert.NotEqual(0, store.Stored);
    }

    private static async Task AssertPolicyAsync(byte[] volume, string code, string sentence, string cure, bool wholeIsEveryBlock = true)
    {
        var (disk, length) = DiskWith(volume);
        var store = new MemoryChunkStore();
        var refused = await Assert.ThrowsAsync<FailureException>(() =>
            new CaptureEngine(disk, store, new CaptureOptions(Level: 1, Dirty: DirtyVolumes.Refuse)).RunAsync(CancellationToken.None));
        Assert.Equal((code, Fault.Disk), (refused.Failure.Code, refused.Failure.Fault));
        Assert.Contains("Volume 1 of ", refused.Failure.Sentence, StringComparison.Ordinal);
        Assert.Contains(sentence, refused.Failure.Sentence, StringComparison.Ordinal);
        Assert.Contains(cure, refused.Failure.Cure, StringComparison.Ordinal);
        Assert.Equal((0, 0), (store.Asked, store.Stored));

        var taken = await new CaptureEngine(disk, store, new CaptureOptions(Level: 1)).RunAsync(CancellationToken.None);
        var captured = Assert.Single(taken.Manifest.Volumes);
        Assert.NotNull(captured.Header.Note);
        Assert.Equal(wholeIsEveryBlock, captured.UsedBytes == length);
    }

    private static (MemoryDisk Disk, long Length) DiskWith(byte[] volume)
    {
        var made = new MemoryDisk(volume.Length + 2 * MiB);
        made.Write(MiB, volume);
        TestGpt.WriteTo(made, (MiB, volume.Length));
        return (MemoryDisk.Of(SyntheticImage.Read(made, 0, (int)made.SizeBytes), readOnly: true), volume.Length);
    }

    /// <summary>As the disk is when the plug is pulled: written, not unmounted.</summary>
    private static byte[] CopiedWhileMounted(string type)
    {
        using var volume = MadeVolume.Ext(type, 24 * MiB, "", files: 0);
        var copy = Array.Empty<byte>();
        volume.WithMounted(root =>
        {
            for (var i = 0; i < 20; i++)
                File.WriteAllBytes(Path.Combine(root, $"file-{i}"), new byte[5000]);
            Shell.Run("sync", "-f", root);
            copy = volume.ReadAll();
        }, "mount", "-o", "loop");
        Assert.Equal(VolumeState.Clean, volume.Identify().State);
        return copy;
    }
}
