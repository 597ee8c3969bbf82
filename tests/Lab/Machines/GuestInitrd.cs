using System.Globalization;
using ImageForge.Lab.Disks;

namespace ImageForge.Lab.Machines;

/// <summary>The first file system of a guest whose root is this computer's own over 9p: busybox, kernel modules in the order they need, an init script.</summary>
internal static class GuestInitrd
{
    /// <param name="folder">Keeps what was built for the next power-on.</param>
    /// <param name="name">Of the files in it.</param>
    /// <param name="modules">With all that they depend on they lie in /modules, in order.</param>
    public static async Task<(string Kernel, string Initrd)> BuildAsync(string folder, string name, IReadOnlyList<string> modules, string init)
    {
        var (kernelRoot, busybox) = await LabLinux.PackagesAsync();
        var kernel = Directory.GetFiles(Path.Combine(kernelRoot, "boot"), "vmlinuz-*").Single();
        var initrd = Path.Combine(folder, name + ".initrd");
        if (File.Exists(initrd))
            return (kernel, initrd);
        var tree = Path.Combine(folder, name);
        foreach (var part in (ReadOnlySpan<string>)["bin", "host", "proc", "sys", "dev", "modules"])
            Directory.CreateDirectory(Path.Combine(tree, part));
        File.Copy(busybox, Path.Combine(tree, "bin/busybox"));
        var files = await ModuleFilesAsync(kernelRoot, modules);
        for (var i = 0; i < files.Count; i++)
            File.Copy(files[i], Path.Combine(tree, "modules", string.Create(CultureInfo.InvariantCulture, $"{i:00}-{Path.GetFileName(files[i])}")));
        var script = Path.Combine(tree, "init");
        await File.WriteAllTextAsync(script, init);
        await Command.RunAsync("chmod", "+x", script, Path.Combine(tree, "bin/busybox"));
        await Command.RunAsync("sh", "-c", "cd \"$1\" && find . | cpio --quiet -o -H newc | zstd -q -1 -o \"$2\"", "sh", tree, initrd);
        return (kernel, initrd);
    }

    /// <summary>In the order in which they depend on each other.</summary>
    private static async Task<List<string>> ModuleFilesAsync(string kernelRoot, IReadOnlyList<string> modules)
    {
        var version = Path.GetFileName(Directory.GetDirectories(Path.Combine(kernelRoot, "lib/modules")).Single());
        var files = new List<string>();
        foreach (var module in modules)
        {
            foreach (var line in (await Command.RunAsync("modprobe", "-d", kernelRoot, "-S", version, "--show-depends", module)).Split('\n'))
            {
                if (line.StartsWith("insmod ", StringComparison.Ordinal) && !files.Contains(line[7..].Trim()))
                    files.Add(line[7..].Trim());
            }
        }
        return files;
    }
}
