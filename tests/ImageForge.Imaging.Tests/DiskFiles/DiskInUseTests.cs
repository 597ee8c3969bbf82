using ImageForge.Imaging.DiskFiles;
using ImageForge.Imaging.Tests.Doubles;

namespace ImageForge.Imaging.Tests.DiskFiles;

public sealed class DiskInUseTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public DiskInUseTests()
    {
        foreach (var folder in (string[])["sys/block/sdz/sdz1/holders", "sys/block/sdz/sdz2/holders", "sys/block/sdz/sdz3/holders/dm-7", "sys/class/block/dm-7/dm", "proc/self"])
            Directory.CreateDirectory(_folder[folder]);
        File.WriteAllText(_folder["sys/class/block/dm-7/dm/name"], "vg0-root\n");
        Write(mounts: "proc /proc proc rw 0 0\n/dev/sdy1 / ext4 rw 0 0\n", swaps: "");
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_mounted_partition_is_named_with_its_place()
    {
        Write("/dev/sdz2 /mnt/my\\040disk ext4 rw,relatime 0 0\n", "");
        Assert.Equal("/dev/sdz2 is mounted at /mnt/my disk", Find(writersOnly: false));
        Assert.Equal("/dev/sdz2 is mounted at /mnt/my disk", Find(writersOnly: true));
    }

    [Fact]
    public void What_is_mounted_read_only_may_be_read()
    {
        Directory.Delete(_folder["sys/block/sdz/sdz3"], recursive: true);
        Write("/dev/sdz2 /mnt ext4 ro,relatime 0 0\n", "");
        Assert.Null(Find(writersOnly: true));
        Assert.Equal("/dev/sdz2 is mounted at /mnt", Find(writersOnly: false));
    }

    [Fact]
    public void Swap_space_and_mapped_volumes_are_named()
    {
        Assert.Equal("/dev/sdz3 belongs to /dev/mapper/vg0-root", Find(writersOnly: false));
        Write("", "Filename\tType\tSize\tUsed\tPriority\n/dev/sdz1\tpartition\t1048572\t0\t-2\n");
        Assert.Equal("/dev/sdz1 is in use as swap space", Find(writersOnly: false));
    }

    [Fact]
    public void A_disk_whose_name_begins_alike_is_another_disk()
    {
        Directory.Delete(_folder["sys/block/sdz/sdz3"], recursive: true);
        Write("/dev/sdzz1 /mnt ext4 rw 0 0\n", "");
        Assert.Null(Find(writersOnly: false));
    }

    private void Write(string mounts, string swaps)
    {
        File.WriteAllText(_folder["proc/self/mounts"], mounts);
        File.WriteAllText(_folder["proc/swaps"], swaps);
    }

    private string? Find(bool writersOnly) => DiskInUse.Find("/dev/sdz", writersOnly, _folder["proc"], _folder["sys"]);
}
