namespace ImageForge.Lab.Disks;

/// <summary>A mounted image: ntfs-3g through FUSE, ext4 through a loop device of the host. Unmounted on dispose.</summary>
internal sealed class Mount : IAsyncDisposable
{
    private Mount(string folder) => Folder = folder;

    public string Folder { get; }

    public static async Task<Mount> NtfsAsync(string image, bool readOnly)
    {
        var mount = Empty();
        await Command.RunAsync("ntfs-3g", "-o", $"{(readOnly ? "ro" : "rw")},streams_interface=windows", image, mount.Folder);
        return mount;
    }

    /// <summary>Read-only and without replaying the journal: the image stays as it is.</summary>
    public static async Task<Mount> Ext4Async(string image)
    {
        var mount = Empty();
        await Command.RunAsync("mount", "-t", "ext4", "-o", "loop,ro,noload", image, mount.Folder);
        return mount;
    }

    public async ValueTask DisposeAsync()
    {
        // ntfs-3g answers "busy" for a moment after the last file was closed.
        for (var i = 0; (await Command.TryAsync("umount", Folder)).ExitCode != 0; i++)
        {
            if (i == 20)
                throw new LabException($"{Folder} cannot be unmounted");
            await Task.Delay(250);
        }
        Directory.Delete(Folder);
    }

    private static Mount Empty() => new(Directory.CreateTempSubdirectory("if-mount-").FullName);
}
