using ImageForge.Imaging.Manifests;
using Microsoft.Win32.SafeHandles;

namespace ImageForge.Server.ImageStore;

/// <summary>Sealed manifests, <c>manifests/‹SHA-256 of the file›</c>. Immutable; durable before they are named.</summary>
internal sealed class ManifestFiles(StoreFolder folder)
{
    /// <summary>Returns once the manifest and its name are on the disk. Writing the same one again is fine.</summary>
    /// <exception cref="IOException">No space, or the disk refuses.</exception>
    public void WriteDurably(string hash, ReadOnlySpan<byte> manifest)
    {
        var path = folder.ManifestFile(hash);
        var temporary = folder.NewIncomingFile();
        try
        {
            using (var file = File.OpenHandle(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None))
            {
                RandomAccess.Write(file, manifest, 0);
                RandomAccess.FlushToDisk(file);
            }
            File.Move(temporary, path, overwrite: true);
            StoreSync.FlushFolder(folder.Manifests);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    /// <summary>The whole manifest; null if there is none.</summary>
    public async Task<byte[]?> ReadAsync(string hash, CancellationToken cancellationToken)
    {
        try
        {
            return await File.ReadAllBytesAsync(folder.ManifestFile(hash), cancellationToken);
        }
        catch (FileNotFoundException)
        {
            return null;
        }
    }

    /// <summary>How many disks the image has; 1 if its manifest is gone, which whoever needs its content will notice.</summary>
    public int DiskCount(string hash)
    {
        using var file = OpenRead(hash);
        if (file is null)
            return 1;
        Span<byte> head = stackalloc byte[ImageDisks.HeadBytes];
        return ImageDisks.CountOf(head[..RandomAccess.Read(file, head, 0)]);
    }

    public SafeFileHandle? OpenRead(string hash)
    {
        try
        {
            return File.OpenHandle(folder.ManifestFile(hash));
        }
        catch (FileNotFoundException)
        {
            return null;
        }
    }
}
