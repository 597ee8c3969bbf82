using System.Globalization;

namespace ImageForge.Lab.Disks;

/// <summary>
/// The disk that tests capture: GPT with a BIOS boot partition, an ESP (FAT32), an ext4 root with a small real Linux that
/// boots under BIOS and UEFI to a login prompt, and an NTFS partition with some thousand files. Deleted files have left
/// their content in unused blocks (<see cref="LeftoverText"/>), so that a copy of unused blocks is seen.
/// Built once and kept in build/lab.
/// </summary>
public static class SourceDisk
{
    /// <summary>Stands in blocks of deleted files on ext4 and NTFS and in no file.</summary>
    public const string LeftoverText = "content-of-a-deleted-file-that-no-image-may-carry";

    /// <summary>What the installed system prints when all of its files have the checksums they were made with.</summary>
    public const string Marker = "lab-source: up and unharmed";

    public const long Bytes = 1L << 30;

    private const long Mib = 1 << 20;

    // Part of the cached file's name: change it whenever what is built here changes.
    private const int Edition = 3;

    private static readonly SemaphoreSlim Building = new(1, 1);

    /// <summary>Returns the cached disk, built if need be. Callers copy it or open it read-only.</summary>
    public static async Task<string> GetAsync()
    {
        var path = Path.Combine(Repository.LabFolder, string.Create(CultureInfo.InvariantCulture, $"source-{Edition}.img"));
        await Building.WaitAsync();
        try
        {
            if (!File.Exists(path))
                await BuildAsync(path);
            return path;
        }
        finally
        {
            Building.Release();
        }
    }

    /// <summary>A private copy that a machine may write to.</summary>
    public static async Task<string> CopyAsync(string path)
    {
        var source = await GetAsync();
        RawImage.CreateBlank(path, Bytes);
        RawImage.Copy(source, 0, Bytes, path, 0);
        return path;
    }

    private static async Task BuildAsync(string path)
    {
        var work = Directory.CreateTempSubdirectory("if-source-").FullName;
        try
        {
            var disk = RawImage.CreateBlank(Path.Combine(work, "disk"), Bytes);
            await Command.RunAsync("sgdisk", "--disk-guid=6D8C3A52-0B44-4E0B-9F70-1A6C2E1D0001",
                "-n1:2048:+1M", "-t1:ef02", "-c1:bios", "-n2:0:+64M", "-t2:ef00", "-c2:ESP", "-n3:0:+420M", "-t3:8300", "-c3:root",
                "-n4:0:+400M", "-t4:0700", "-c4:data",
                "-u1:6D8C3A52-0B44-4E0B-9F70-1A6C2E1D0011", "-u2:6D8C3A52-0B44-4E0B-9F70-1A6C2E1D0012",
                "-u3:6D8C3A52-0B44-4E0B-9F70-1A6C2E1D0013", "-u4:6D8C3A52-0B44-4E0B-9F70-1A6C2E1D0014", disk);
            var partitions = await PartitionTable.ReadAsync(disk);

            var loader = await BootLoader.BuildAsync(work);
            loader.InstallForBios(disk, partitions[0].Offset);
            var esp = await loader.BuildSystemPartitionAsync(Path.Combine(work, "esp"), partitions[1].Bytes);
            var root = await LabLinux.BuildAsync(Path.Combine(work, "root"), Path.Combine(work, "ext4"), partitions[2].Bytes);
            var ntfs = await NtfsVolume.BuildAsync(Path.Combine(work, "ntfs"), partitions[3]);
            foreach (var (file, partition) in new[] { (esp, partitions[1]), (root, partitions[2]), (ntfs, partitions[3]) })
                RawImage.Copy(file, 0, partition.Bytes, disk, partition.Offset);

            var cached = $"{path}.new";
            RawImage.CreateBlank(cached, Bytes);
            RawImage.Copy(disk, 0, Bytes, cached, 0);
            File.Move(cached, path);
        }
        finally
        {
            Directory.Delete(work, recursive: true);
        }
    }
}
