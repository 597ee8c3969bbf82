using System.Globalization;

namespace ImageForge.Lab.Disks;

/// <summary>An NTFS volume filled through ntfs-3g: some thousand files, a sparse one, a hard link, an alternate stream, and leftovers of deleted files.</summary>
internal static class NtfsVolume
{
    public static async Task<string> BuildAsync(string path, Partition partition)
    {
        RawImage.CreateBlank(path, partition.Bytes);
        await Command.RunAsync("mkntfs", "-q", "-Q", "-F", "-s", "512", "-L", "DATA", "-H", "255", "-S", "63",
            "-p", (partition.Offset / 512).ToString(CultureInfo.InvariantCulture), path);
        await using (var mount = await Mount.NtfsAsync(path, readOnly: false))
        {
            File.WriteAllBytes(Path.Combine(mount.Folder, "leftover.bin"), SampleFiles.Leftovers(12 << 20));
            SampleFiles.Fill(Path.Combine(mount.Folder, "Users"), files: 2400, bytes: 45 << 20, seed: 71);
            using (var sparse = new FileStream(Path.Combine(mount.Folder, "sparse.bin"), FileMode.Create))
            {
                sparse.SetLength(48 << 20);
                sparse.Position = 20 << 20;
                sparse.Write("in the middle of nothing"u8);
            }
            await Command.RunAsync("ln", Path.Combine(mount.Folder, "sparse.bin"), Path.Combine(mount.Folder, "hard link.bin"));
            File.WriteAllText(Path.Combine(mount.Folder, "sparse.bin:stream"), "an alternate stream");
            File.Delete(Path.Combine(mount.Folder, "leftover.bin"));
        }
        return path;
    }
}
