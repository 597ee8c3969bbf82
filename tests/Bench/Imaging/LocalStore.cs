using System.Runtime.InteropServices;
using ImageForge.Imaging.Chunks;

namespace ImageForge.Bench.Imaging;

/// <summary>Chunks and manifests in a folder, made durable as the server does it: one <c>syncfs</c>.</summary>
internal sealed partial class LocalStore
{
    private readonly string _folder;

    public LocalStore(string folder)
    {
        if (Directory.Exists(folder))
            Directory.Delete(folder, recursive: true);
        Directory.CreateDirectory(folder);
        (_folder, Chunks) = (folder, new FileChunkStore(Path.Combine(folder, "chunks")));
    }

    public FileChunkStore Chunks { get; }

    /// <summary>Bytes of everything in it.</summary>
    public long Bytes => new DirectoryInfo(_folder).EnumerateFiles("*", SearchOption.AllDirectories).Sum(f => f.Length);

    /// <summary>Returns once the manifest and everything it names is on the disk.</summary>
    public void Seal(string name, byte[] manifest)
    {
        var path = Path.Combine(_folder, name);
        File.WriteAllBytes(path, manifest);
        using var file = File.OpenHandle(path);
        if (SyncFs(file) != 0)
            throw new IOException("syncfs: " + Marshal.GetLastPInvokeErrorMessage());
    }

    public void Delete() => Directory.Delete(_folder, recursive: true);

    [LibraryImport("libc", EntryPoint = "syncfs", SetLastError = true)]
    private static partial int SyncFs(Microsoft.Win32.SafeHandles.SafeFileHandle file);
}
