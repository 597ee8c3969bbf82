using ImageForge.Imaging.FileSystems;

namespace ImageForge.Imaging.Tests.FileSystems;

/// <summary>Real FAT, made by mkfs.fat and worked in through mtools; judged by partclone, mtools, fsck.fat and the files.</summary>
public sealed class FatUsedMapTests
{
    private const long MiB = 1 << 20;

    [Theory]
    [InlineData(16, "-F 16", FileSystemKind.Fat16)]
    [InlineData(100, "-F 16 -s 32", FileSystemKind.Fat16)]
    [InlineData(40, "-F 32 -s 1", FileSystemKind.Fat32)]
    [InlineData(300, "-F 32 -s 8", FileSystemKind.Fat32)]
    [InlineData(64, "-F 32 -a -R 33 -s 1", FileSystemKind.Fat32)]
    [InlineData(300, "-F 32 -S 4096", FileSystemKind.Fat32)]
    [InlineData(40, "-F 16 -S 4096 -s 1", FileSystemKind.Fat16)]
    public void Map_equals_partclones(int mebibytes, string options, FileSystemKind kind)
    {
        using var volume = MadeVolume.Fat(mebibytes * MiB, options);
        var ours = volume.Identify();
        Assert.Null(ours.Note);
        Assert.Equal((kind, "JUDGE"), (ours.Kind, ours.Label));
        // What is left of the volume behind the last whole cluster counts as used with us.
        Judges.AssertAgreesWithPartclone(volume, ours, "fat", allowedExtra: 64 << 10);
        Judges.AssertSurvivesRestore(volume, ours, "fsck.fat", "-n");
    }

    [Fact]
    public void Small_fat32_is_recognised_by_where_its_fat_size_stands()
    {
        // Fewer than 65525 clusters: by Microsoft's rule a FAT16, for Linux, Windows and mkfs.fat -F 32 still a FAT32.
        using var volume = MadeVolume.Fat(34 * MiB, "-F 32 -s 2", files: 0);
        var ours = volume.Identify();
        Assert.Equal(FileSystemKind.Fat32, ours.Kind);
        Assert.Null(ours.Note);
        Assert.InRange(ours.Used.CountUsed() * ours.BlockSize, 100 << 10, MiB);
    }

    [Theory]
    [InlineData("-F 16 -s 1", 0x25, 0, 1, VolumeState.Dirty)]
    [InlineData("-F 12 -s 8", 0x25, 0, 1, VolumeState.Dirty)]
    [InlineData("-F 16 -s 1", 512 + 3, 0x80, 0, VolumeState.Dirty)]
    [InlineData("-F 16 -s 1", 512 + 3, 0x40, 0, VolumeState.Errors)]
    public void A_fat_that_was_not_unmounted_is_noted(string options, int at, int clear, int set, VolumeState state)
    {
        using var volume = MadeVolume.Fat(8 * MiB, options + " -R 1", files: 4);
        Assert.Equal(VolumeState.Clean, volume.Identify().State);
        using (var file = File.Open(volume.Image, FileMode.Open))
        {
            file.Position = at;
            var was = file.ReadByte();
            file.Position = at;
            file.WriteByte((byte)(was & ~clear | set));
        }
        var ours = volume.Identify();
        Assert.Equal(state, ours.State);
        Assert.NotNull(ours.Note);
        Assert.True(ours.Used.CountUsed() < ours.Used.BlockCount);
    }

    // partclone 0.3.23 mistakes the entries of a FAT12 (it calls free what mshowfat lists as a file's): mtools is the judge.
    [Theory]
    [InlineData(1, "-F 12", 2048)]
    [InlineData(4, "-F 12 -s 8", 4096)]
    [InlineData(1, "-F 12 -f 1 -s 1", 512)]
    public void Map_of_fat12_equals_mtools(int mebibytes, string options, int clusterSize)
    {
        using var volume = MadeVolume.Fat(mebibytes * MiB, options);
        var ours = volume.Identify();
        Assert.Null(ours.Note);
        Assert.Equal(FileSystemKind.Fat12, ours.Kind);
        var boot = FatBootSector.Parse(volume.ReadAll()[..512], volume.Bytes);
        Assert.Equal(clusterSize, boot.ClusterSize);
        Judges.AssertAgrees(volume, ours, Judges.ClustersByMtools(volume.Image, boot.DataOffset, clusterSize), allowedExtra: clusterSize);
        Judges.AssertSurvivesRestore(volume, ours, "fsck.fat", "-n");
    }
}
