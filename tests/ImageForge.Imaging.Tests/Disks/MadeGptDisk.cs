using ImageForge.Imaging.Disks;
using ImageForge.Imaging.Tests.FileSystems;

namespace ImageForge.Imaging.Tests.Disks;

/// <summary>A small disk partitioned by sgdisk, in memory.</summary>
internal static class MadeGptDisk
{
    public const string EspType = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b";

    /// <summary>Runs sgdisk with these arguments on an image of that many MiB.</summary>
    public static byte[] Bytes(int mebibytes, params string[] sgdisk)
    {
        var path = Path.Combine(Path.GetTempPath(), $"imageforge-gpt-{Guid.CreateVersion7():N}");
        try
        {
            using (var file = File.Create(path))
                file.SetLength((long)mebibytes << 20);
            Shell.Run("sgdisk", [.. sgdisk, path]);
            return File.ReadAllBytes(path);
        }
        finally
        {
            File.Delete(path);
        }
    }

    /// <summary>An ESP, a Linux and a Windows partition with names; boot code in LBA 0 and something in the gap.</summary>
    public static byte[] Usual()
    {
        var bytes = Bytes(8, "-a", "64", "-n", "1:2048:+1M", "-t", "1:ef00", "-c", "1:EFI system", "-n", "2:4160:+2M", "-t", "2:8300", "-c", "2:Wurzel \u00e4\u20ac", "-n", "3:0:0", "-t", "3:0700", "-A", "3:set:60");
        bytes.AsSpan(0, 440).Fill(0x90);
        bytes.AsSpan(40 * 512, 512).Fill(0x47);
        return bytes;
    }

    /// <summary>The same kind of disk with 4096-byte sectors, which sgdisk learns from the device.</summary>
    public static byte[] With4KSectors()
    {
        using var loop = new LoopDevice(16L << 20, 4096);
        Shell.Run("sgdisk", "-n", "1:256:+2M", "-t", "1:ef00", "-n", "2:1024:+4M", "-t", "2:8300", loop.Node);
        using var disk = LinuxBlockDevice.OpenForReading(loop.Node);
        var bytes = new byte[disk.SizeBytes];
        disk.Read(0, bytes);
        return bytes;
    }

    public static DiskLayout Layout(byte[] bytes, int sectorSize = 512) =>
        Assert.IsType<PartitionTableReading.Found>(PartitionTables.Read(MemoryDisk.Of(bytes, sectorSize))).Layout;
}
