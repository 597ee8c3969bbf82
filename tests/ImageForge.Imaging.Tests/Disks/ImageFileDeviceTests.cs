using ImageForge.Imaging.Disks;
using ImageForge.Imaging.Tests.FileSystems;

namespace ImageForge.Imaging.Tests.Disks;

public sealed class ImageFileDeviceTests : IDisposable
{
    private const int MiB = 1 << 20;

    private readonly string _path = Path.Combine(Path.GetTempPath(), $"imageforge-file-{Guid.CreateVersion7():N}");

    public void Dispose() => File.Delete(_path);

    [Fact]
    public void Zeros_take_no_room_and_read_as_zeros()
    {
        var data = new byte[8 * MiB];
        new Random(1).NextBytes(data.AsSpan(MiB, MiB));
        using var disk = ImageFileDevice.Create(_path, 16 * MiB);
        disk.Write(0, data);
        disk.Flush();
        Assert.InRange(AllocatedBytes(), MiB, MiB + 65536);
        var back = new byte[8 * MiB];
        disk.Read(0, back);
        Assert.True(data.AsSpan().SequenceEqual(back));
    }

    [Fact]
    public void Zeros_written_over_content_erase_it_and_free_its_room()
    {
        using var disk = ImageFileDevice.Create(_path, 4 * MiB);
        var data = new byte[2 * MiB];
        data.AsSpan().Fill(0xAA);
        disk.Write(MiB, data);
        disk.Write(MiB, new byte[MiB]);
        disk.WriteZeros(2 * MiB, MiB - 512);
        disk.Flush();
        Assert.InRange(AllocatedBytes(), 512, 65536);
        var back = new byte[4 * MiB];
        disk.Read(0, back);
        Assert.Equal(512, back.Count(value => value == 0xAA));
        Assert.Equal(3 * MiB - 512, Array.IndexOf(back, (byte)0xAA));
    }

    [Fact]
    public void Runs_of_zeros_that_are_not_on_a_hole_boundary_are_written_right()
    {
        var random = new Random(5);
        var truth = new byte[MiB];
        using var disk = ImageFileDevice.Create(_path, MiB);
        for (var i = 0; i < 500; i++)
        {
            var offset = random.Next(0, MiB / 512 - 80) * 512;
            var data = new byte[random.Next(1, 80) * 512];
            if (random.Next(3) > 0)
                random.NextBytes(data.AsSpan(random.Next(data.Length)));
            data.CopyTo(truth, offset);
            disk.Write(offset, data);
        }
        var back = new byte[MiB];
        disk.Read(0, back);
        Assert.True(truth.AsSpan().SequenceEqual(back));
    }

    [Fact]
    public void An_existing_file_is_never_made_anew()
    {
        File.WriteAllText(_path, "precious");
        Assert.Throws<DiskException>(() => ImageFileDevice.Create(_path, MiB));
        Assert.Equal("precious", File.ReadAllText(_path));
    }

    [Fact]
    public void Opened_for_reading_it_refuses_writes()
    {
        using (ImageFileDevice.Create(_path, MiB)) { }
        using var disk = ImageFileDevice.OpenForReading(_path);
        Assert.Equal(DiskTrouble.ReadOnly, Assert.Throws<DiskException>(() => disk.Write(0, new byte[512])).Trouble);
        Assert.Equal(DiskTrouble.ReadOnly, Assert.Throws<DiskException>(() => disk.WriteZeros(0, 512)).Trouble);
    }

    private long AllocatedBytes() => long.Parse(Shell.Run("stat", "-c", "%b", _path), System.Globalization.CultureInfo.InvariantCulture) * 512;
}
