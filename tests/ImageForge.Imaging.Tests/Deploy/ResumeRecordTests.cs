using ImageForge.Imaging.Deploy;
using ImageForge.Imaging.Disks;

namespace ImageForge.Imaging.Tests.Deploy;

public sealed class ResumeRecordTests
{
    private static readonly ResumeRecord s_record = new(new string('a', 64), 42, 1L << 40, 4096);

    [Theory]
    [InlineData(512)]
    [InlineData(4096)]
    public void Comes_back_from_sector_1(int sectorSize)
    {
        using var disk = new MemoryDisk(1 << 20, sectorSize);
        Assert.Null(ResumeRecord.ReadFrom(disk));
        var sector = new byte[sectorSize];
        s_record.WriteTo(sector);
        disk.Write(sectorSize, sector);
        Assert.Equal(s_record, ResumeRecord.ReadFrom(disk));
    }

    [Fact]
    public void Any_changed_bit_makes_it_no_record()
    {
        var sector = new byte[512];
        s_record.WriteTo(sector);
        for (var bit = 0; bit < 8 * sector.Length; bit++)
        {
            sector[bit / 8] ^= (byte)(1 << bit % 8);
            Assert.Null(ResumeRecord.Parse(sector));
            sector[bit / 8] ^= (byte)(1 << bit % 8);
        }
        Assert.Equal(s_record, ResumeRecord.Parse(sector));
    }

    [Fact]
    public void Stops_a_processor_that_runs_it()
    {
        var sector = new byte[512];
        s_record.WriteTo(sector);
        // cli; hlt; jmp to the hlt
        Assert.Equal([0xFA, 0xF4, 0xEB, 0xFD], sector[..4]);
    }

    [Fact]
    public void A_disk_of_one_sector_has_none()
    {
        using var disk = new MemoryDisk(512);
        Assert.Null(ResumeRecord.ReadFrom(disk));
    }
}
