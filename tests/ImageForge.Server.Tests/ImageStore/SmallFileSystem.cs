using System.Diagnostics;

namespace ImageForge.Server.Tests.ImageStore;

/// <summary>Skipped, with the reason, unless the tests run as root: file systems are mounted.</summary>
public sealed class MountTheoryAttribute : TheoryAttribute
{
    public MountTheoryAttribute()
    {
        if (Environment.UserName != "root")
            Skip = "mounts a file system: run the tests as root";
    }
}

/// <summary>A real file system that is quickly full: <c>tmpfs</c>, or <c>ext4</c> on a loop device. Unmounted in the end.</summary>
internal sealed class SmallFileSystem : IDisposable
{
    private readonly string _scratch;
    private readonly string _image;

    public SmallFileSystem(string kind, int mebibytes)
    {
        _scratch = Directory.CreateTempSubdirectory("imageforge-small-").FullName;
        _image = Path.Combine(_scratch, "disk.img");
        Folder = Path.Combine(_scratch, "mount");
        Directory.CreateDirectory(Folder);
        if (kind == "tmpfs")
        {
            Run("mount", "-t", "tmpfs", "-o", $"size={mebibytes}m", "tmpfs", Folder);
            return;
        }
        Run("truncate", "-s", $"{mebibytes}M", _image);
        Run("mkfs.ext4", "-q", "-F", "-m", "0", _image);
        Run("mount", "-o", "loop", _image, Folder);
    }

    public string Folder { get; }

    /// <summary>Fills the file system until at most <paramref name="leave"/> bytes are free; 0: until not one block can be written.</summary>
    public void Fill(long leave)
    {
        var block = new byte[64 << 10];
        Random.Shared.NextBytes(block);
        Append(0, () => new DriveInfo(Folder).AvailableFreeSpace - block.Length > leave, block);
        // ext4 gives preallocated blocks back when a file is closed, and deleted ones at the next commit: go on until a fresh file gets none, not even of the smallest size.
        for (int file = 1, empty = 0; leave == 0 && empty < 2; file++)
        {
            empty = Append(file, static () => true, block.AsSpan(0, file % 2 == 1 ? 4096 : 1024).ToArray()) == 0 ? empty + 1 : 0;
            Run("sync", "-f", Folder);
        }
    }

    public void Free()
    {
        foreach (var file in Directory.GetFiles(Folder, "ballast-*"))
            File.Delete(file);
    }

    private int Append(int number, Func<bool> more, byte[] block)
    {
        var written = 0;
        try
        {
            using var file = File.OpenHandle(Path.Combine(Folder, $"ballast-{number}"), FileMode.Create, FileAccess.Write);
            for (; more(); written++)
            {
                RandomAccess.Write(file, block, (long)written * block.Length);
                RandomAccess.FlushToDisk(file);
            }
        }
        catch (IOException)
        {
            // Full, as asked.
        }
        return written;
    }

    public void Dispose()
    {
        // A process that another test is starting holds a copy of every open file between fork and exec.
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                Run("umount", Folder);
                break;
            }
            catch (InvalidOperationException) when (attempt < 50)
            {
                Task.Delay(100).Wait();
            }
        }
        Directory.Delete(_scratch, recursive: true);
    }

    private static void Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        var errors = process.StandardError.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"{program} {string.Join(' ', arguments)}: {errors}");
    }
}
