using ImageForge.Contracts;
using ImageForge.Imaging.Disks;
using ImageForge.Imaging.FileSystems;
using ImageForge.Imaging.Resize;
using ImageForge.Imaging.Tests.FileSystems;

namespace ImageForge.Imaging.Tests.Resize;

/// <summary>
/// A system that is hibernated or was cut off still has work for its file system. Resizers throw that work away and say "clean";
/// so such a volume keeps its size.
/// </summary>
public sealed class UncleanVolumeTests
{
    private const long Mib = 1 << 20;

    [Fact]
    public void An_interrupted_ext4_is_not_grown_and_not_written()
    {
        using var volume = MadeVolume.Ext("ext4", 64 * Mib, "", files: 20);
        File.WriteAllBytes(volume.Image, Interrupted(volume));
        using (var file = File.OpenWrite(volume.Image))
            file.SetLength(96 * Mib);
        var before = volume.ReadAll();
        using (var device = ImageFileDevice.OpenForWriting(volume.Image))
        {
            var outcome = new VolumeGrower().Grow(device, 0, 96 * Mib, FileSystemKind.Ext4, CancellationToken.None);
            Assert.False(outcome.Grown);
            Assert.Contains("not closed cleanly", outcome.Note, StringComparison.Ordinal);
        }
        Assert.Equal(before, volume.ReadAll());
    }

    [Fact]
    public async Task An_interrupted_ext4_is_not_shrunk()
    {
        var volume = MadeVolume.Ext("ext4", 64 * Mib, "", files: 20);
        File.WriteAllBytes(volume.Image, Interrupted(volume));
        using var disk = new LaidOutDisk([volume], ["8300"]);
        var folder = Directory.CreateTempSubdirectory("imageforge-shrink-").FullName;
        try
        {
            var failure = (await Assert.ThrowsAsync<FailureException>(() =>
                new ShrinkEngine(disk.Captured.Manifest, disk.Store, disk.Store, folder).RunAsync(disk.Bytes - 20 * Mib, _ => { }, CancellationToken.None))).Failure;
            Assert.Equal("shrinkImpossible", failure.Code);
            Assert.Contains("not closed cleanly", failure.Sentence, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static byte[] Interrupted(MadeVolume volume) => volume.CutPowerDuring(folder =>
    {
        for (var i = 0; i < 20; i++)
            File.WriteAllBytes(Path.Combine(folder, $"late-{i}"), new byte[5000]);
        Shell.Run("sync", "-f", folder);
    });
}
