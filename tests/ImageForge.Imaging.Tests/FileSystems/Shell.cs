using System.ComponentModel;
using System.Diagnostics;

namespace ImageForge.Imaging.Tests.FileSystems;

/// <summary>Runs the tools of Debian that make and judge real file systems.</summary>
internal static class Shell
{
    private static readonly Dictionary<string, string> s_packages = new()
    {
        ["partclone.extfs"] = "partclone",
        ["partclone.ntfs"] = "partclone",
        ["partclone.fat"] = "partclone",
        ["partclone.xfs"] = "partclone",
        ["partclone.btrfs"] = "partclone",
        ["partclone.f2fs"] = "partclone",
        ["mkfs.xfs"] = "xfsprogs",
        ["xfs_repair"] = "xfsprogs",
        ["xfs_db"] = "xfsprogs",
        ["mkfs.btrfs"] = "btrfs-progs",
        ["btrfs"] = "btrfs-progs",
        ["mkfs.f2fs"] = "f2fs-tools",
        ["sload.f2fs"] = "f2fs-tools",
        ["fsck.f2fs"] = "f2fs-tools",
        ["dump.f2fs"] = "f2fs-tools",
        ["mkfs.ntfs"] = "ntfs-3g",
        ["ntfs-3g"] = "ntfs-3g",
        ["partclone.exfat"] = "partclone",
        ["mkfs.exfat"] = "exfatprogs",
        ["fsck.exfat"] = "exfatprogs",
        ["mount.exfat-fuse"] = "exfat-fuse",
        ["cryptsetup"] = "cryptsetup-bin",
        ["lvm"] = "lvm2",
        ["mkswap"] = "util-linux",
        ["swaplabel"] = "util-linux",
        ["mkfs.fat"] = "dosfstools",
        ["mcopy"] = "mtools",
        ["mdel"] = "mtools",
        ["mke2fs"] = "e2fsprogs",
        ["sgdisk"] = "gdisk",
        ["grub-mkimage"] = "grub-common",
        ["sfdisk"] = "fdisk",
        ["partx"] = "util-linux",
    };

    /// <returns>Standard output.</returns>
    public static string Run(string tool, params string[] arguments)
    {
        var start = new ProcessStartInfo(tool, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        // Debian keeps mkfs and partclone where an ordinary PATH does not look.
        start.Environment["PATH"] = "/usr/sbin:/sbin:" + Environment.GetEnvironmentVariable("PATH");
        start.Environment["LC_ALL"] = "C";
        start.FileName = Find(tool);
        Process process;
        try
        {
            process = Process.Start(start)!;
        }
        catch (Win32Exception)
        {
            throw new InvalidOperationException($"{tool} is missing: apt-get install {s_packages.GetValueOrDefault(tool, tool)}");
        }
        using (process)
        {
            var errors = process.StandardError.ReadToEndAsync();
            var output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0
                ? output
                : throw new InvalidOperationException($"{tool} {string.Join(' ', arguments)} ended with {process.ExitCode}: {output}{errors.Result}");
        }
    }

    /// <summary>
    /// Unmounts, patiently: a process that another test starts at this moment holds a copy of every open file until it runs its program.
    /// </summary>
    public static void Unmount(string folder)
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                Run("umount", folder);
                return;
            }
            catch (InvalidOperationException busy) when (attempt < 50 && busy.Message.Contains("busy", StringComparison.Ordinal))
            {
                Run("sleep", "0.1");
            }
        }
    }

    private static string Find(string tool) =>
        new[] { "/usr/sbin/", "/sbin/", "/usr/bin/", "/bin/" }.Select(folder => folder + tool).FirstOrDefault(File.Exists) ?? tool;
}
