using ImageForge.Imaging.Disks;
using ImageForge.Imaging.Tests.FileSystems;

namespace ImageForge.Imaging.Tests.Disks;

/// <summary>Against real loop devices of the kernel.</summary>
public sealed class BlockDeviceTests
{
    private const int MiB = 1 << 20;

    [Theory]
    [InlineData(512)]
    [InlineData(4096)]
    public void What_is_written_is_read_again(int sectorSize)
    {
        using var loop = new LoopDevice(4 * MiB, sectorSize);
        using var data = AlignedBuffer.Rent(MiB);
        new Random(1).NextBytes(data.Span);
        using (var disk = LinuxBlockDevice.OpenForWriting(loop.Node))
        {
            Assert.Equal((4L * MiB, sectorSize, false, loop.Node), (disk.SizeBytes, disk.SectorSize, disk.IsReadOnly, disk.Name));
            disk.Write(MiB, data.Span);
            disk.WriteZeros(MiB + 4096, 8192);
            disk.Flush();
        }
        data.Span.Slice(4096, 8192).Clear();
        using var reader = LinuxBlockDevice.OpenForReading(loop.Node);
        using var back = AlignedBuffer.Rent(MiB);
        reader.Read(MiB, back.Span);
        Assert.True(data.Span.SequenceEqual(back.Span));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Zeros_are_written_with_and_without_the_kernels_help(bool canZeroOut)
    {
        using var loop = new LoopDevice(8 * MiB);
        using var disk = LinuxBlockDevice.OpenForWriting(loop.Node);
        disk.CanZeroOut = canZeroOut;
        var data = new byte[8 * MiB];
        data.AsSpan().Fill(0xAA);
        disk.Write(0, data);
        disk.WriteZeros(512, 5 * MiB + 1024);
        Assert.Equal(canZeroOut, disk.CanZeroOut);
        var back = new byte[8 * MiB];
        disk.Read(0, back);
        data.AsSpan(512, 5 * MiB + 1024).Clear();
        Assert.True(data.AsSpan().SequenceEqual(back));
    }

    [Fact]
    public void Memory_that_is_not_aligned_goes_through_a_buffer_that_is()
    {
        using var loop = new LoopDevice(4 * MiB);
        using var disk = LinuxBlockDevice.OpenForWriting(loop.Node);
        var data = new byte[3 * MiB + 1];
        new Random(2).NextBytes(data);
        disk.Write(512, data.AsSpan(1));
        var back = new byte[3 * MiB + 3];
        disk.Read(512, back.AsSpan(3));
        Assert.True(data.AsSpan(1).SequenceEqual(back.AsSpan(3)));
    }

    [Fact]
    public void Opened_for_reading_the_kernel_itself_refuses_a_write()
    {
        using var loop = new LoopDevice(MiB);
        using var disk = LinuxBlockDevice.OpenForReading(loop.Node);
        var refused = Assert.Throws<DiskException>(() => disk.Write(0, new byte[512]));
        Assert.Equal(DiskTrouble.ReadOnly, refused.Trouble);
        // Not only our own check: the flags of the open descriptor, as the kernel tells them. O_ACCMODE is the last octal digit.
        var flags = Directory.GetFiles("/proc/self/fd").Where(fd => new FileInfo(fd).LinkTarget == loop.Node)
            .Select(fd => File.ReadLines($"/proc/self/fdinfo/{Path.GetFileName(fd)}").First(line => line.StartsWith("flags:", StringComparison.Ordinal)).Trim()).ToList();
        Assert.Equal('0', Assert.Single(flags)[^1]);
    }

    [Fact]
    public void A_mounted_disk_is_not_opened_for_writing()
    {
        using var loop = new LoopDevice(16 * MiB);
        Shell.Run("mke2fs", "-q", "-F", loop.Node);
        var folder = Directory.CreateTempSubdirectory("imageforge-busy-").FullName;
        try
        {
            PrivateMounts.Run(() =>
            {
                Shell.Run("mount", loop.Node, folder);
                var refused = Assert.Throws<DiskException>(() => LinuxBlockDevice.OpenForWriting(loop.Node));
                Assert.Equal((DiskTrouble.Busy, "diskBusy"), (refused.Trouble, refused.ToFailure().Code));
                using (LinuxBlockDevice.OpenForReading(loop.Node)) { }
                Shell.Unmount(folder);
            });
            using (LinuxBlockDevice.OpenForWriting(loop.Node)) { }
        }
        finally
        {
            Directory.Delete(folder);
        }
    }

    [Fact]
    public void A_write_protected_disk_is_named_as_such()
    {
        using var loop = new LoopDevice(MiB, readOnly: true);
        var refused = Assert.Throws<DiskException>(() => LinuxBlockDevice.OpenForWriting(loop.Node));
        Assert.Contains(refused.Trouble, new[] { DiskTrouble.ReadOnly, DiskTrouble.Denied });
    }

    [Fact]
    public void A_disk_that_vanishes_is_told_from_a_bad_sector()
    {
        using var loop = new LoopDevice(4 * MiB);
        using var disk = LinuxBlockDevice.OpenForWriting(loop.Node);
        loop.ShrinkTo(0);
        var read = Assert.Throws<DiskException>(() => disk.Read(0, new byte[4096]));
        Assert.Equal((DiskTrouble.Vanished, "diskVanished"), (read.Trouble, read.ToFailure().Code));
        Assert.Contains("vanished", read.Message, StringComparison.Ordinal);
        var write = Assert.Throws<DiskException>(() => disk.Write(0, new byte[4096]));
        Assert.Equal(DiskTrouble.Vanished, write.Trouble);
    }

    [Fact]
    public void A_bad_sector_is_not_taken_for_a_vanished_disk()
    {
        using var loop = new LoopDevice(4 * MiB);
        using var disk = LinuxBlockDevice.OpenForReading(loop.Node);
        // The loop driver answers EIO behind the end of its file: the disk keeps its size, its sectors there are bad.
        using (var file = File.OpenWrite(loop.File))
            file.SetLength(2 * MiB);
        disk.Read(MiB, new byte[4096]);
        var read = Assert.Throws<DiskException>(() => disk.Read(3 * MiB, new byte[4096]));
        Assert.Equal((DiskTrouble.MediumError, "diskMediumError", 3L * MiB), (read.Trouble, read.ToFailure().Code, read.Offset));
    }

    [Theory]
    [InlineData("/dev/no-such-disk", DiskTrouble.Other)]
    [InlineData("/dev/null", DiskTrouble.Other)]
    public void What_is_no_disk_is_refused_with_a_sentence(string path, DiskTrouble trouble)
    {
        var refused = Assert.Throws<DiskException>(() => LinuxBlockDevice.OpenForReading(path));
        Assert.Equal((trouble, path), (refused.Trouble, refused.Device));
    }

    [Theory]
    [InlineData(1, 512)]
    [InlineData(0, 100)]
    [InlineData(MiB, 512)]
    [InlineData(-512, 512)]
    [InlineData(long.MaxValue - 511, 512)]
    public void Ranges_outside_the_disk_or_its_sectors_are_refused(long offset, int length)
    {
        using var loop = new LoopDevice(MiB);
        using var disk = LinuxBlockDevice.OpenForWriting(loop.Node);
        Assert.Throws<DiskException>(() => disk.Read(offset, new byte[length]));
        Assert.Throws<DiskException>(() => disk.Write(offset, new byte[length]));
        Assert.Throws<DiskException>(() => disk.WriteZeros(offset, length));
    }

    [Fact]
    public async Task A_device_without_partitions_says_so_when_asked_to_read_them_again()
    {
        using var loop = new LoopDevice(MiB);
        using var disk = LinuxBlockDevice.OpenForWriting(loop.Node);
        var answer = await disk.RescanPartitionsAsync(TimeSpan.FromSeconds(1), TimeProvider.System, CancellationToken.None);
        Assert.Contains(answer, new[] { PartitionRescan.NotSupported, PartitionRescan.Done });
    }
}
