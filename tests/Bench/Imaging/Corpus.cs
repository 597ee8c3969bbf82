using System.Text;

namespace ImageForge.Bench.Imaging;

/// <summary>
/// Real files, the same on every run on this machine: what Debian, the .NET SDK, NuGet and npm installed, a second unpacked copy
/// of some of it with variations, logs (compressible) and noise (as media and archives are).
/// </summary>
internal static class Corpus
{
    /// <summary>Share of the whole in percent, and where it comes from; the first folder of a line that exists counts.</summary>
    private static readonly (string Name, int Percent, string[] Folders)[] s_parts =
    [
        ("usr/lib", 32, ["/usr/lib"]),
        ("usr/share", 14, ["/usr/share"]),
        ("usr/bin", 6, ["/usr/bin"]),
        ("dotnet", 14, ["/usr/share/dotnet", "/usr/lib/dotnet"]),
        ("nuget", 8, [Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget/packages")]),
        ("node", 4, ["/usr/lib/node_modules"]),
    ];

    private const int CopyPercent = 10, LogPercent = 5, NoisePercent = 7, VariedEvery = 7;

    /// <summary>Writes about <paramref name="bytes"/> below <paramref name="root"/>; returns what it wrote.</summary>
    public static long WriteTo(string root, long bytes)
    {
        long written = 0;
        foreach (var (name, percent, folders) in s_parts)
            if (Array.Find(folders, Directory.Exists) is { } folder)
                written += CopyTree(folder, Path.Combine(root, name), bytes * percent / 100, varied: false);
        if (Array.Find(s_parts[3].Folders, Directory.Exists) is { } sdk)
            written += CopyTree(sdk, Path.Combine(root, "dotnet-of-last-month"), bytes * CopyPercent / 100, varied: true);
        // A machine with less to copy gets more of what is made.
        var rest = Math.Max(0, bytes * (100 - LogPercent - NoisePercent) / 100 - written);
        written += Logs(Path.Combine(root, "var/log"), bytes * LogPercent / 100 + rest / 2);
        return written + Noise(Path.Combine(root, "media"), bytes * NoisePercent / 100 + rest / 2);
    }

    private static long CopyTree(string from, string to, long most, bool varied)
    {
        long written = 0;
        var number = 0;
        foreach (var file in Files(from))
        {
            var length = new FileInfo(file).Length;
            if (written + length > most)
                continue;
            var target = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            if (varied && ++number % VariedEvery == 0)
                Drift.WriteSubstituted(file, target, number);
            else
                File.Copy(file, target);
            written += length;
            if (written > most - (most >> 8))
                break;
        }
        return written;
    }

    /// <summary>Ordinary files below a folder in an order of their own; without what differs from day to day, and nested packages only once.</summary>
    private static IEnumerable<string> Files(string folder)
    {
        var options = new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint | FileAttributes.Device, IgnoreInaccessible = true };
        var all = Directory.EnumerateFiles(folder, "*", options)
            .Where(f => !f.StartsWith("/usr/share/dotnet/", StringComparison.Ordinal) || folder == "/usr/share/dotnet")
            .Where(f => !f.StartsWith("/usr/lib/node_modules/", StringComparison.Ordinal) || folder == "/usr/lib/node_modules")
            // NTFS has no such names.
            .Where(f => f.IndexOfAny(['\\', ':', '*', '?', '"', '<', '>', '|']) < 0 && f.Length < 230);
        // Spread over the whole tree, in runs of neighbours: the alphabet alone would give only what begins with a.
        return all.Order(StringComparer.Ordinal).Select((file, i) => (file, i)).OrderBy(f => Scatter(f.i / 64)).ThenBy(f => f.i).Select(f => f.file).Where(f => new FileInfo(f).LinkTarget is null);
    }

    private static uint Scatter(int group) => (uint)group * 2654435761;

    private static long Logs(string folder, long bytes)
    {
        Directory.CreateDirectory(folder);
        var random = new Random(1);
        long written = 0;
        for (var day = 0; written < bytes; day++)
        {
            var text = new StringBuilder();
            while (text.Length < 8 << 20 && written + text.Length < bytes)
                text.Append("2026-").Append(1 + day % 12).Append('-').Append(1 + day % 28).Append("T08:").Append(random.Next(60)).Append(':').Append(random.Next(60))
                    .Append(" srv").Append(random.Next(40)).Append(" app[").Append(random.Next(30000)).Append("]: GET /api/items/").Append(random.Next(1_000_000))
                    .Append(random.Next(10) == 0 ? " 404 " : " 200 ").Append(random.Next(90_000)).Append(" bytes in ").Append(random.Next(900)).Append(" ms\n");
            File.WriteAllText(Path.Combine(folder, $"access-{day:000}.log"), text.ToString());
            written += text.Length;
        }
        return written;
    }

    private static long Noise(string folder, long bytes)
    {
        Directory.CreateDirectory(folder);
        var random = new Random(2);
        long written = 0;
        for (var i = 0; written < bytes; i++)
        {
            var content = new byte[Math.Min(bytes - written, random.Next(1 << 20, 12 << 20))];
            random.NextBytes(content);
            File.WriteAllBytes(Path.Combine(folder, $"clip-{i:000}.mkv"), content);
            written += content.Length;
        }
        return written;
    }
}
