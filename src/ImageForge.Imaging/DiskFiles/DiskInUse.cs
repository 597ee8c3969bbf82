using ImageForge.Contracts;
using ImageForge.Imaging.Disks;

namespace ImageForge.Imaging.DiskFiles;

/// <summary>Says who uses a disk, where the kernel only says "busy". Reads <c>/proc</c> and <c>/sys</c>; every name in there may be anything.</summary>
public static class DiskInUse
{
    /// <summary>What on this disk is mounted, used as swap or held by a device mapper; null if nothing is known.</summary>
    /// <param name="device">Of a disk or a partition, <c>/dev/…</c>.</param>
    /// <param name="writersOnly">Only what may change the content: read-only mounts do not count.</param>
    public static string? Find(string device, bool writersOnly) => Find(device, writersOnly, "/proc", "/sys");

    internal static string? Find(string device, bool writersOnly, string proc, string sys)
    {
        var name = Path.GetFileName(Resolve(device));
        var names = PartitionsOf(name, sys).Prepend(name).ToHashSet(StringComparer.Ordinal);
        foreach (var line in Lines(Path.Combine(proc, "self/mounts")))
            if (line.Split(' ') is [{ } source, { } place, _, { } options, ..] && source.StartsWith("/dev/", StringComparison.Ordinal)
                && names.Contains(Path.GetFileName(Resolve(source)))
                && !(writersOnly && options.Split(',').Contains("ro")))
                return $"{source} is mounted at {Unescape(place)}";
        foreach (var line in Lines(Path.Combine(proc, "swaps")).Skip(1))
            if (line.Split((char[])[' ', '\t'], 2) is [{ } source, _] && names.Contains(Path.GetFileName(Resolve(source))))
                return $"{source} is in use as swap space";
        foreach (var held in names)
            if (Holders(held, name, sys).FirstOrDefault() is { } holder)
                return $"/dev/{held} belongs to {holder}";
        return null;
    }

    /// <summary>The loop device that shows this file as a disk, null if there is none.</summary>
    public static string? LoopDeviceOf(string file)
    {
        var path = Path.GetFullPath(file);
        foreach (var device in Entries("/sys/block", "loop*"))
            if (Lines(Path.Combine(device, "loop/backing_file")).FirstOrDefault() is { } backing && backing == path)
                return "/dev/" + Path.GetFileName(device);
        return null;
    }

    /// <summary>The kernel's <c>EBUSY</c> with its cause.</summary>
    public static FailureException Refusal(string device, DiskException? busy, string? cause) => new(
        "diskBusy", Fault.Disk, $"The disk {device} is in use: {cause ?? "another program holds it"}.",
        "Unmount what is on it (umount, swapoff, vgchange -an) and stop programs that hold it, then start again.", busy);

    /// <summary><c>/dev/disk/by-id/…</c> and LVM's names are links.</summary>
    private static string Resolve(string path)
    {
        try
        {
            return new FileInfo(path).ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? path;
        }
        catch (IOException)
        {
            return path;
        }
    }

    private static IEnumerable<string> PartitionsOf(string disk, string sys) =>
        Entries(Path.Combine(sys, "block", disk), disk + "*").Select(path => Path.GetFileName(path));

    private static IEnumerable<string> Holders(string name, string disk, string sys)
    {
        var folder = name == disk ? Path.Combine(sys, "class/block", name) : Path.Combine(sys, "block", disk, name);
        return from holder in Entries(Path.Combine(folder, "holders"), "*")
               let mapped = Lines(Path.Combine(sys, "class/block", Path.GetFileName(holder), "dm/name")).FirstOrDefault()
               select mapped is null ? "/dev/" + Path.GetFileName(holder) : "/dev/mapper/" + mapped;
    }

    private static string[] Lines(string file)
    {
        try
        {
            return File.ReadAllLines(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    private static IEnumerable<string> Entries(string folder, string pattern) =>
        Directory.Exists(folder) ? Directory.EnumerateFileSystemEntries(folder, pattern) : [];

    /// <summary>proc(5): spaces in mount points are written as octal <c>\040</c>.</summary>
    private static string Unescape(string text) => text.Replace("\\040", " ", StringComparison.Ordinal);
}
