using ImageForge.Imaging.Disks;
using ImageForge.Imaging.FileSystems;

namespace ImageForge.Imaging.Tests.FileSystems;

public sealed class VolumeProbeTests
{
    private const int MiB = 1 << 20;

    [Fact]
    public void An_unknown_volume_is_used_throughout()
    {
        var content = Identify(new byte[3 * MiB + 512]);
        Assert.Equal((FileSystemKind.Unknown, null, null), (content.Kind, content.Uuid, content.Note));
        Assert.Equal((3 * MiB + 512 + content.BlockSize - 1) / content.BlockSize, content.Used.CountUsed());
    }

    [Fact]
    public void A_volume_inside_a_disk_is_found_at_its_offset()
    {
        using var volume = MadeVolume.Ext("ext4", 8 * MiB, "-b 1024", files: 0);
        var disk = new MemoryDisk(32 * MiB);
        disk.Write(3 * MiB + 512, volume.ReadAll());
        var (alone, inside) = (volume.Identify(), VolumeProbe.Identify(disk, 3 * MiB + 512, 8 * MiB, CancellationToken.None));
        Assert.Equal((alone.Kind, alone.Uuid, alone.Note), (inside.Kind, inside.Uuid, inside.Note));
        for (long block = 0; block < alone.Used.BlockCount; block++)
            Assert.Equal(alone.Used[block], inside.Used[block]);
    }

    [Theory]
    [InlineData(512)]
    [InlineData(4096)]
    public void A_real_block_device_gives_the_same_map(int sectorSize)
    {
        using var volume = MadeVolume.Ntfs(16 * MiB, "-s 4096 -c 4096", files: 20);
        using var loop = new Disks.LoopDevice(16 * MiB, sectorSize);
        using (var target = LinuxBlockDevice.OpenForWriting(loop.Node))
            target.Write(0, volume.ReadAll());
        using var disk = LinuxBlockDevice.OpenForReading(loop.Node);
        var (file, device) = (volume.Identify(), VolumeProbe.Identify(disk, 0, disk.SizeBytes, CancellationToken.None));
        Assert.Equal((file.Kind, file.BlockSize, file.Uuid, file.Note), (device.Kind, device.BlockSize, device.Uuid, device.Note));
        for (long block = 0; block < file.Used.BlockCount; block++)
            Assert.Equal(file.Used[block], device.Used[block]);
    }

    [Fact]
    public void Encryption_over_an_old_superblock_is_not_taken_for_ext4()
    {
        using var volume = MadeVolume.Ext("ext4", 8 * MiB, "", files: 0);
        var bytes = volume.ReadAll();
        new byte[] { (byte)'L', (byte)'U', (byte)'K', (byte)'S', 0xBA, 0xBE, 0, 2 }.CopyTo(bytes, 0);
        AssertTakenWhole(Identify(bytes), "LUKS", FileSystemKind.Luks);
    }

    [Fact]
    public void Two_file_systems_at_once_are_neither()
    {
        using var ext = MadeVolume.Ext("ext4", 8 * MiB, "", files: 0);
        using var ntfs = MadeVolume.Ntfs(8 * MiB, "-c 4096", files: 0);
        var bytes = ext.ReadAll();
        ntfs.ReadAll().AsSpan(0, 512).CopyTo(bytes);
        AssertTakenWhole(Identify(bytes), "Marks of ext4 and NTFS");
    }

    [Theory]
    [InlineData(3, "ReFS\0\0\0\0", "ReFS")]
    [InlineData(32, "NXSB", "APFS")]
    [InlineData(32769, "CD001", "ISO 9660")]
    public void Formats_without_a_reader_are_named(int at, string mark, string name)
    {
        var bytes = new byte[MiB];
        System.Text.Encoding.ASCII.GetBytes(mark).CopyTo(bytes, at);
        AssertTakenWhole(Identify(bytes), name);
    }

    [Fact]
    public void An_opaque_partition_is_not_looked_into()
    {
        using var volume = MadeVolume.Ext("ext4", 8 * MiB, "", files: 0);
        var content = VolumeProbe.Identify(MemoryDisk.Of(volume.ReadAll()), new Partition(1, 0, 8 * MiB, "0x05", null, null, 0) { Opaque = "a reason" }, CancellationToken.None);
        AssertTakenWhole(content, "a reason");
    }

    [Theory]
    [InlineData(0x41, 1, "not unmounted cleanly")]
    [InlineData(16384 + 7, 0xF7, "not unmounted cleanly")]
    [InlineData(16384 + 7, 0xFB, "disk error")]
    public void A_dirty_fat_is_noted_and_still_read(int at, int value, string note)
    {
        using var volume = MadeVolume.Fat(40 * MiB, "-F 32 -s 1", files: 0);
        var bytes = volume.ReadAll();
        bytes[at] = (byte)(at == 0x41 ? value : bytes[at] & value);
        var content = Identify(bytes);
        Assert.Equal(FileSystemKind.Fat32, content.Kind);
        Assert.Contains(note, content.Note, StringComparison.Ordinal);
        Assert.True(content.Used.CountUsed() < content.Used.BlockCount / 2);
    }

    [Fact]
    public void A_cluster_marked_bad_is_not_read_and_one_used_in_either_fat_is()
    {
        using var volume = MadeVolume.Fat(40 * MiB, "-F 32 -s 1", files: 0);
        var bytes = volume.ReadAll();
        var boot = FatBootSector.Parse(bytes[..512], bytes.Length);
        BitConverter.TryWriteBytes(bytes.AsSpan((int)boot.FatOffset + 4 * 100), 0x0FFF_FFF7);
        BitConverter.TryWriteBytes(bytes.AsSpan((int)(boot.FatOffset + boot.FatBytes) + 4 * 200), 0x0FFF_FFFF);
        var content = Identify(bytes);
        bool Used(int cluster) => content.Used[(boot.DataOffset + (cluster - 2) * boot.ClusterSize) / content.BlockSize];
        Assert.Equal((false, true, false), (Used(100), Used(200), Used(201)));
    }

    [Fact]
    public void A_disk_of_4096_byte_sectors_never_has_smaller_blocks()
    {
        using var volume = MadeVolume.Fat(40 * MiB, "-F 32 -s 1", files: 5);
        var (small, large) = (volume.Identify(), VolumeProbe.Identify(MemoryDisk.Of(volume.ReadAll(), 4096), 0, 40 * MiB, CancellationToken.None));
        Assert.Equal((512, 4096), (small.BlockSize, large.BlockSize));
        for (long block = 0; block < small.Used.BlockCount; block++)
            Assert.True(!small.Used[block] || large.Used[block / 8], $"block {block} was lost");
    }

    [Fact]
    public void A_read_error_of_the_disk_is_passed_on()
    {
        using var volume = MadeVolume.Ext("ext4", 8 * MiB, "", files: 0);
        Assert.Throws<DiskException>(() => VolumeProbe.Identify(new FailingDisk(), 0, MiB, CancellationToken.None));
    }

    [Fact]
    public void A_cancelled_probe_stops()
    {
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();
        Assert.Throws<OperationCanceledException>(() => VolumeProbe.Identify(new MemoryDisk(MiB), 0, MiB, cancelled.Token));
    }

    private static VolumeContent Identify(byte[] bytes) => VolumeProbe.Identify(MemoryDisk.Of(bytes), 0, bytes.Length, CancellationToken.None);

    private static void AssertTakenWhole(VolumeContent content, string note, FileSystemKind kind = FileSystemKind.Unknown)
    {
        Assert.Equal(kind, content.Kind);
        Assert.Contains(note, content.Note, StringComparison.Ordinal);
        Assert.Equal(content.Used.BlockCount, content.Used.CountUsed());
    }

    private sealed class FailingDisk : IBlockDevice
    {
        public string Name => "failing";
        public long SizeBytes => MiB;
        public int SectorSize => 512;
        public bool IsReadOnly => true;
        public void Read(long offset, Span<byte> buffer) => throw new DiskException(Name, "read", offset, 5, "bad sector");
        public void Write(long offset, ReadOnlySpan<byte> data) => throw new NotSupportedException();
        public void WriteZeros(long offset, long length) => throw new NotSupportedException();
        public void Flush() { }
        public void Dispose() { }
    }
}
