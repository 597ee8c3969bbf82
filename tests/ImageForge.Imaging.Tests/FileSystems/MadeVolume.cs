using System.Globalization;
using System.Security.Cryptography;
using ImageForge.Imaging.Disks;
using ImageForge.Imaging.FileSystems;

namespace ImageForge.Imaging.Tests.FileSystems;

/// <summary>An image file in a folder of its own, with a real file system on it that was worked in: files, deletions, fragments.</summary>
internal sealed partial class MadeVolume : IDisposable
{
    // In memory where there is room: the kernel's fsyncs would otherwise wait for everything else on the disk.
    private readonly string _folder = Directory.CreateDirectory(Path.Combine(
        Directory.Exists("/dev/shm") && new DriveInfo("/dev/shm").AvailableFreeSpace > 4L << 30 ? "/dev/shm" : Path.GetTempPath(),
        $"imageforge-fs-{Guid.CreateVersion7():N}")).FullName;

    private MadeVolume(long bytes)
    {
        Bytes = bytes;
        using var file = File.Create(Image);
        file.SetLength(bytes);
    }

    public string Image => Path.Combine(_folder, "volume");
    public long Bytes { get; }

    public static MadeVolume Ext(string type, long bytes, string options, int files = 400) => Make(bytes, volume =>
    {
        Shell.Run("mke2fs", ["-q", "-F", "-t", type, "-L", "Judge", .. Split(options), volume.Image]);
        if (files > 0)
            volume.Mounted(files, "mount", "-o", "loop", volume.Image);
    });

    public static MadeVolume Ntfs(long bytes, string options, int files = 400) => Make(bytes, volume =>
    {
        Shell.Run("mkfs.ntfs", ["-q", "-F", "-L", "Judge", .. Split(options), volume.Image]);
        if (files > 0)
            volume.Mounted(files, "ntfs-3g", volume.Image);
    });

    public static MadeVolume Fat(long bytes, string options, int files = 60) => Make(bytes, volume =>
    {
        Shell.Run("mkfs.fat", ["-n", "JUDGE", .. Split(options), volume.Image]);
        if (files > 0)
            volume.WorkWithMtools(files);
    });

    public static MadeVolume Xfs(long bytes, string options, int files = 400) => Make(bytes, volume =>
    {
        Shell.Run("mkfs.xfs", ["-q", "-f", "--unsupported", "-L", "Judge", .. Split(options), volume.Image]);
        if (files > 0)
            volume.Mounted(files, "mount", "-o", "loop", volume.Image);
    });

    public static MadeVolume Btrfs(long bytes, string options, int files = 400, string mount = "loop") => Make(bytes, volume =>
    {
        Shell.Run("mkfs.btrfs", ["-q", "-f", "-L", "Judge", .. Split(options), volume.Image]);
        if (files > 0)
            volume.Mounted(files, "mount", "-o", mount, volume.Image);
    });

    /// <summary>Many kernels have no F2FS: sload.f2fs puts the files in, in two goes so that there are old checkpoints and segments.</summary>
    public static MadeVolume F2fs(long bytes, string options, int files = 50) => Make(bytes, volume =>
    {
        Shell.Run("mkfs.f2fs", ["-q", "-l", "J\u00fcdge", .. Split(options), volume.Image]);
        var random = new Random(5);
        for (var go = 0; go < 2 && files > 0; go++)
        {
            var folder = Directory.CreateDirectory(Path.Combine(volume._folder, $"load{go}")).FullName;
            for (var i = 0; i < files / 2; i++)
            {
                var content = new byte[random.Next(1, 120_000)];
                random.NextBytes(content);
                File.WriteAllBytes(Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"file-{go}-{i}.bin")), content);
            }
            Shell.Run("sload.f2fs", "-f", folder, volume.Image);
        }
    });

    /// <summary>One of the volumes in KernelMade.</summary>
    public static MadeVolume FromKernel(string name, long bytes) => Make(bytes, volume =>
        Shell.Run("zstd", "-d", "-q", "-f", "--sparse", Path.Combine(AppContext.BaseDirectory, "FileSystems", "KernelMade", name + ".img.zst"), "-o", volume.Image));

    private static MadeVolume Make(long bytes, Action<MadeVolume> fill)
    {
        var volume = new MadeVolume(bytes);
        try
        {
            fill(volume);
            return volume;
        }
        catch
        {
            volume.Dispose();
            throw;
        }
    }

    public VolumeContent Identify()
    {
        using var disk = ImageFileDevice.OpenForReading(Image);
        return VolumeProbe.Identify(disk, 0, disk.SizeBytes, CancellationToken.None);
    }

    public byte[] ReadAll() => File.ReadAllBytes(Image);

    /// <summary>Mounts it where only <paramref name="work"/> and what it starts can see it.</summary>
    public void WithMounted(Action<string> work, string mount, params string[] arguments) => PrivateMounts.Run(() =>
    {
        var mountPoint = Directory.CreateDirectory(Path.Combine(_folder, "mounted")).FullName;
        Shell.Run(mount, [.. arguments, Image, mountPoint]);
        try
        {
            work(mountPoint);
        }
        finally
        {
            Shell.Unmount(mountPoint);
        }
    });

    /// <summary>Leaves only single free clusters, then makes files until there is no room: the MFT grows into every one of them.</summary>
    public void FillWithTinyFilesUntilTheMftIsInPieces() => PrivateMounts.Run(() =>
    {
        var mountPoint = Directory.CreateDirectory(Path.Combine(_folder, "mounted")).FullName;
        Shell.Run("ntfs-3g", Image, mountPoint);
        try
        {
            // A byte more than fits into the record itself: one or two clusters each.
            var content = new byte[900];
            var made = MakeUntilFull(i => File.WriteAllBytes(Path.Combine(mountPoint, $"f{i}"), content));
            for (var i = 0; i < made; i += 2)
                File.Delete(Path.Combine(mountPoint, $"f{i}"));
            MakeUntilFull(i => File.WriteAllBytes(Path.Combine(mountPoint, $"e{i}"), []));
        }
        finally
        {
            Shell.Unmount(mountPoint);
        }
    });

    private static int MakeUntilFull(Action<int> make)
    {
        for (var i = 0; ; i++)
        {
            try
            {
                make(i);
            }
            catch (IOException)
            {
                return i;
            }
        }
    }

    /// <summary>A copy of the image as a power cut leaves it: taken while the file system is mounted and <paramref name="work"/> is done in it.</summary>
    public byte[] CutPowerDuring(Action<string> work)
    {
        byte[] image = [];
        PrivateMounts.Run(() =>
        {
            var mountPoint = Directory.CreateDirectory(Path.Combine(_folder, "mounted")).FullName;
            Shell.Run("mount", "-o", "loop", Image, mountPoint);
            try
            {
                work(mountPoint);
                image = ReadAll();
            }
            finally
            {
                Shell.Unmount(mountPoint);
            }
        });
        return image;
    }

    /// <summary>SHA-256 of every file, by path, as the kernel, ntfs-3g or mtools read it from <paramref name="image"/>.</summary>
    public Dictionary<string, string> HashFiles(string image)
    {
        Dictionary<string, string> hashes = [];
        PrivateMounts.Run(() => hashes = HashFilesHere(image));
        return hashes;
    }

    private Dictionary<string, string> HashFilesHere(string image)
    {
        var folder = Directory.CreateTempSubdirectory("imageforge-files-").FullName;
        try
        {
            Action unmount = () => { };
            switch (Identify().Kind)
            {
                case FileSystemKind.Ntfs:
                    Shell.Run("ntfs-3g", "-o", "ro", image, folder);
                    unmount = () => Shell.Unmount(folder);
                    break;
                case FileSystemKind.ExFat:
                    unmount = MountExFat(image, folder);
                    break;
                case FileSystemKind.Fat12 or FileSystemKind.Fat16 or FileSystemKind.Fat32:
                    Shell.Run("mcopy", "-s", "-n", "-i", image, "::*", folder);
                    break;
                case FileSystemKind.F2fs:
                    // Inode 3 is the root folder; what is no file is not dumped.
                    Shell.Run("sh", "-c", "cd \"$1\"; for inode in $(seq 4 60); do yes Y | dump.f2fs -i $(printf %x $inode) \"$2\"; done", "dump", folder, image);
                    break;
                default:
                    Shell.Run("mount", "-o", "loop,ro", image, folder);
                    unmount = () => Shell.Unmount(folder);
                    break;
            }
            try
            {
                return Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
                    .ToDictionary(path => Path.GetRelativePath(folder, path), path => Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(path))));
            }
            finally
            {
                unmount();
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>A copy whose unused blocks are garbage: what a restore onto a used disk leaves there. Only content may matter now.</summary>
    public string CopyWithGarbageInUnused(VolumeContent content)
    {
        var copy = Image + ".restored";
        File.Copy(Image, copy, overwrite: true);
        using var file = File.OpenHandle(copy, FileMode.Open, FileAccess.ReadWrite);
        var garbage = new byte[content.BlockSize];
        new Random(3).NextBytes(garbage);
        for (long block = 0; block < content.Used.BlockCount; block++)
            if (!content.Used[block])
                RandomAccess.Write(file, garbage.AsSpan(0, (int)Math.Min(garbage.Length, Bytes - block * content.BlockSize)), block * content.BlockSize);
        return copy;
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static string[] Split(string options) => options.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    private void Mounted(int files, string mount, params string[] arguments) => PrivateMounts.Run(() => Work(files, mount, arguments));

    /// <summary>Mounts, writes until about half full, deletes every second file, fills the holes with longer ones.</summary>
    private void Work(int files, string mount, params string[] arguments)
    {
        var mountPoint = Directory.CreateDirectory(Path.Combine(_folder, "mounted")).FullName;
        Shell.Run(mount, [.. arguments, mountPoint]);
        try
        {
            var random = new Random(1);
            var room = new DriveInfo(mountPoint).AvailableFreeSpace;
            var small = Directory.CreateDirectory(Path.Combine(mountPoint, "small")).FullName;
            var names = new List<string>();
            for (long written = 0; written < room / 3 && names.Count < files;)
            {
                var bytes = new byte[random.Next(1, (int)Math.Clamp(room / 200, 2000, 60000))];
                random.NextBytes(bytes);
                names.Add(Path.Combine(small, string.Create(CultureInfo.InvariantCulture, $"file-{names.Count}.bin")));
                File.WriteAllBytes(names[^1], bytes);
                written += bytes.Length;
            }
            for (var i = 0; i < names.Count; i += 2)
                File.Delete(names[i]);
            var large = new byte[(int)Math.Min(room / 8, 8 << 20)];
            random.NextBytes(large);
            using (var first = File.Create(Path.Combine(mountPoint, "first")))
            using (var second = File.Create(Path.Combine(mountPoint, "second")))
                for (var at = 0; at < large.Length; at += 16384)
                {
                    first.Write(large, at, Math.Min(16384, large.Length - at));
                    first.Flush(flushToDisk: at % 65536 == 0);
                    second.Write(large, at, Math.Min(8192, large.Length - at));
                }
            File.Delete(Path.Combine(mountPoint, "second"));
        }
        finally
        {
            Shell.Unmount(mountPoint);
        }
    }

    private void WorkWithMtools(int files)
    {
        var random = new Random(2);
        var names = new List<string>();
        long written = 0;
        for (var i = 0; written < Bytes / 4 && i < files; i++)
        {
            var bytes = new byte[random.Next(1, (int)Math.Clamp(Bytes / 60, 1000, 400_000))];
            random.NextBytes(bytes);
            names.Add(Path.Combine(_folder, string.Create(CultureInfo.InvariantCulture, $"f{i}.bin")));
            File.WriteAllBytes(names[^1], bytes);
            written += bytes.Length;
        }
        Shell.Run("mcopy", ["-i", Image, .. names, "::"]);
        Shell.Run("mdel", ["-i", Image, .. names.Where((_, i) => i % 2 == 0).Select(name => "::" + Path.GetFileName(name))]);
        // Longer than the holes: the new file is in pieces.
        var large = Path.Combine(_folder, "large.bin");
        File.WriteAllBytes(large, Enumerable.Range(0, (int)Math.Min(Bytes / 6, 3 << 20)).Select(i => (byte)i).ToArray());
        Shell.Run("mcopy", "-i", Image, large, "::");
    }
}
