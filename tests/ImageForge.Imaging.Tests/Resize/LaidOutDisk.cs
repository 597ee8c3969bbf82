using ImageForge.Imaging.Capture;
using ImageForge.Imaging.Disks;
using ImageForge.Imaging.Tests.Doubles;
using ImageForge.Imaging.Tests.FileSystems;

namespace ImageForge.Imaging.Tests.Resize;

/// <summary>A GPT disk in a file with real file systems on it, one MiB apart, captured into memory.</summary>
internal sealed class LaidOutDisk : IDisposable
{
    private const long Mib = 1 << 20;

    /// <param name="types">sgdisk's type of each partition.</param>
    public LaidOutDisk(MadeVolume[] volumes, string[] types)
    {
        Volumes = volumes;
        Places = PlacesOf(volumes.Select(v => v.Bytes));
        using (var disk = ImageFileDevice.Create(Image, Places[^1].Offset + Places[^1].Length + Mib))
        {
            TestGpt.WriteTo(disk, Places);
            for (var i = 0; i < volumes.Length; i++)
                disk.Write(Places[i].Offset, volumes[i].ReadAll());
        }
        Shell.Run("sgdisk", [.. types.SelectMany((t, i) => (string[])["-t", $"{i + 1}:{t}"]), Image]);
        using var source = ImageFileDevice.OpenForReading(Image);
        Captured = new CaptureEngine(source, Store, new CaptureOptions(256 << 10)).RunAsync(CancellationToken.None).GetAwaiter().GetResult();
    }

    public TempFolder Folder { get; } = new();

    public string Image => Folder["disk.img"];

    public MadeVolume[] Volumes { get; }

    public (long Offset, long Length)[] Places { get; }

    public MemoryChunkStore Store { get; } = new();

    public CaptureResult Captured { get; }

    public long Bytes => new FileInfo(Image).Length;

    /// <summary>Where volumes of these sizes lie.</summary>
    public static (long Offset, long Length)[] PlacesOf(IEnumerable<long> sizes)
    {
        var at = Mib;
        return [.. sizes.Select(bytes => (Place: (at, bytes), Next: at += bytes + Mib).Place)];
    }

    /// <summary>A used disk of another size in the same folder.</summary>
    public string Target(long bytes, string name = "target.img")
    {
        using var file = ImageFileDevice.Create(Folder[name], bytes);
        var page = new byte[Mib];
        page.AsSpan().Fill(0xE5);
        for (long at = 0; at + Mib <= bytes; at += Mib)
            file.Write(at, page);
        return Folder[name];
    }

    /// <summary>A part of a disk as a file of its own.</summary>
    public string Extract(string disk, long offset, long length)
    {
        var path = Folder[$"part-{offset}"];
        File.Delete(path);
        using var source = ImageFileDevice.OpenForReading(disk);
        using var part = ImageFileDevice.Create(path, length);
        using var buffer = AlignedBuffer.Rent((int)Mib);
        for (long done = 0; done < length; done += Mib)
        {
            var piece = buffer.Span[..(int)Math.Min(Mib, length - done)];
            source.Read(offset + done, piece);
            part.Write(done, piece);
        }
        return path;
    }

    /// <summary>Bytes of the file system as the kernel or ntfs-3g tell them.</summary>
    public static long FileSystemBytes(string volume, params string[] mount)
    {
        long bytes = 0;
        PrivateMounts.Run(() =>
        {
            var folder = Directory.CreateTempSubdirectory("imageforge-size-").FullName;
            Shell.Run(mount[0], [.. mount[1..], volume, folder]);
            bytes = new DriveInfo(folder).TotalSize;
            Shell.Unmount(folder);
            Directory.Delete(folder);
        });
        return bytes;
    }

    public void Dispose()
    {
        foreach (var volume in Volumes)
            volume.Dispose();
        Folder.Dispose();
    }
}
