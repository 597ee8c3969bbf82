using System.Globalization;
using System.Security.Cryptography;
using ImageForge.Imaging.Disks;
using ImageForge.Imaging.Tests.FileSystems;

namespace ImageForge.Imaging.Tests.Layouts;

/// <summary>An image file that sfdisk, sgdisk or parted has partitioned, and what these say about it.</summary>
internal sealed class MadeDisk : IDisposable
{
    private readonly string _folder = Directory.CreateDirectory(Path.Combine(
        Directory.Exists("/dev/shm") && new DriveInfo("/dev/shm").AvailableFreeSpace > 4L << 30 ? "/dev/shm" : Path.GetTempPath(),
        $"imageforge-disk-{Guid.CreateVersion7():N}")).FullName;

    public MadeDisk(long bytes, byte fill = 0, int sectorSize = 512)
    {
        SectorSize = sectorSize;
        using var file = ImageFileDevice.Create(Image, bytes, sectorSize);
        if (fill == 0)
            return;
        var page = new byte[1 << 20];
        page.AsSpan().Fill(fill);
        for (long at = 0; at < file.SizeBytes; at += page.Length)
            file.Write(at, page.AsSpan(0, (int)Math.Min(page.Length, file.SizeBytes - at)));
    }

    public string Image => Path.Combine(_folder, "disk.img");
    public int SectorSize { get; }

    /// <param name="script">Of sfdisk, one line per partition.</param>
    public static MadeDisk Sfdisk(long bytes, string script)
    {
        var disk = new MadeDisk(bytes);
        var file = Path.Combine(disk._folder, "script");
        File.WriteAllText(file, script);
        Shell.Run("sh", "-c", $"sfdisk -q --no-reread --no-tell-kernel {disk.Image} < {file}");
        return disk;
    }

    public static MadeDisk Sgdisk(long bytes, params string[] arguments)
    {
        var disk = new MadeDisk(bytes);
        Shell.Run("sgdisk", [.. arguments, disk.Image]);
        return disk;
    }

    /// <summary>A primary partition and an extended one with that many logical partitions, each with a MiB before it.</summary>
    /// <param name="type">Of the extended partition, hexadecimal.</param>
    public static MadeDisk WithLogicals(int count, string type = "f", int sectorsEach = 4096)
    {
        const int Start = 8192, Step = 2048;
        var size = count * (Step + sectorsEach) + Step;
        var lines = Enumerable.Range(0, count).Select(i => string.Create(CultureInfo.InvariantCulture, $"start={Start + Step + i * (Step + sectorsEach)}, size={sectorsEach}, type=83{(i == 2 ? ", bootable" : "")}"));
        return Sfdisk((Start + size + 2048L) * 512, string.Create(CultureInfo.InvariantCulture, $"label: dos\nlabel-id: 0xcafe0001\nstart=2048, size=4096, type=83, bootable\nstart={Start}, size={size}, type={type}\n{string.Join('\n', lines)}\n"));
    }

    public IBlockDevice Read() => ImageFileDevice.OpenForReading(Image, SectorSize);

    public DiskLayout Layout()
    {
        using var device = Read();
        return Assert.IsType<PartitionTableReading.Found>(PartitionTables.Read(device)).Layout;
    }

    public byte[] Bytes(long offset, int count)
    {
        using var file = File.OpenRead(Image);
        file.Position = offset;
        var bytes = new byte[count];
        file.ReadExactly(bytes);
        return bytes;
    }

    public void Write(long offset, ReadOnlySpan<byte> bytes)
    {
        using var file = File.OpenWrite(Image);
        file.Position = offset;
        file.Write(bytes);
    }

    /// <summary>Puts a file system or anything else where a partition lies.</summary>
    public void CopyIn(string file, long offset) => Shell.Run("dd", $"if={file}", $"of={Image}", "bs=1M", $"seek={offset}", "oflag=seek_bytes", "conv=notrunc,sparse", "status=none");

    /// <summary>A partition's bytes as a file of its own.</summary>
    public string CopyOut(Partition partition)
    {
        var file = Path.Combine(_folder, $"part{partition.Number}");
        Shell.Run("dd", $"if={Image}", $"of={file}", "bs=1M", $"skip={partition.Offset}", $"count={partition.Length}", "iflag=skip_bytes,count_bytes", "conv=sparse", "status=none");
        return file;
    }

    /// <summary>The table as sfdisk writes it down, without the name of the file.</summary>
    public string SfdiskDump() => Shell.Run("sfdisk", "-d", Image).Replace(Image, "disk", StringComparison.Ordinal);

    /// <summary>The table as sgdisk prints it, every partition in detail.</summary>
    public string SgdiskPrint() => Shell.Run("sgdisk", ["-p", .. Layout().Partitions.SelectMany(p => new[] { "-i", p.Number.ToString(CultureInfo.InvariantCulture) }), Image]).Replace(Image, "disk", StringComparison.Ordinal);

    /// <summary>Number, first sector, sectors, type and PARTUUID of each partition as libblkid counts them; extended ones left out.</summary>
    public IEnumerable<string> Blkid() => Shell.Run("partx", "--noheadings", "--raw", "--output", "NR,START,SECTORS,TYPE,UUID", Image)
        .Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(line => line.Split(' ')[3] is not ("0x5" or "0xf" or "0x85")).Select(line => line.Trim());

    public string Hash()
    {
        using var file = File.OpenRead(Image);
        return Convert.ToHexString(SHA256.HashData(file));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
