using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace ImageForge.Lab.Disks;

/// <summary>
/// Compares a deployed disk with its source through programs that are not ours: partclone says which blocks are used, ntfs-3g,
/// the kernel's ext4 and mtools read the files, and each file system's own checker has the last word.
/// </summary>
public static class DiskComparison
{
    /// <summary>Every difference and complaint, in sentences; empty: the disks are equal where it counts.</summary>
    /// <param name="sampleLimit">At most so many differences are listed for each partition.</param>
    public static async Task<IReadOnlyList<string>> CompareAsync(string source, string target, int sampleLimit = 5)
    {
        var differences = new List<string>();
        var work = Directory.CreateTempSubdirectory("if-compare-").FullName;
        try
        {
            var verdict = await Command.TryAsync("sgdisk", "-v", target);
            if (verdict.ExitCode != 0 || !verdict.Output.Contains("No problems found", StringComparison.Ordinal))
                differences.Add($"sgdisk -v: {verdict.All}");
            var from = await PartitionTable.ReadAsync(source);
            var to = await PartitionTable.ReadAsync(target);
            if (!from.SequenceEqual(to))
            {
                differences.Add($"the partition tables differ: {string.Join("; ", from)} against {string.Join("; ", to)}");
                return differences;
            }
            foreach (var partition in from)
                differences.AddRange((await ComparePartitionAsync(source, target, partition, work)).Take(sampleLimit).Select(text => $"partition {partition.Number} ({partition.Name}): {text}"));
            if (RawImage.Contains(target, Encoding.ASCII.GetBytes(SourceDisk.LeftoverText)))
                differences.Add("content of deleted files was copied");
            return differences;
        }
        finally
        {
            Directory.Delete(work, recursive: true);
        }
    }

    private static async Task<List<string>> ComparePartitionAsync(string source, string target, Partition partition, string work)
    {
        var a = Path.Combine(work, $"{partition.Number}.source");
        var b = Path.Combine(work, $"{partition.Number}.target");
        RawImage.Copy(source, partition.Offset, partition.Bytes, a, 0);
        RawImage.Copy(target, partition.Offset, partition.Bytes, b, 0);
        var kind = (await Command.TryAsync("blkid", "-p", "-o", "value", "-s", "TYPE", a)).Output.Trim();
        return kind switch
        {
            "ext4" => await CompareAsync(a, b, "extfs", ["e2fsck", "-fn"], Ext4FilesAsync),
            "ntfs" => await CompareAsync(a, b, "ntfs", ["ntfsfix", "-n"], NtfsFilesAsync),
            "vfat" => await CompareAsync(a, b, "fat", ["fsck.fat", "-n"], FatFilesAsync),
            _ => [.. DifferentRanges(a, b, [(0, partition.Bytes)])],
        };
    }

    private static async Task<List<string>> CompareAsync(
        string a, string b, string partclone, string[] checker, Func<string, Task<IReadOnlyDictionary<string, string>>> files)
    {
        var found = new List<string>();
        var check = await Command.TryAsync(checker[0], [.. checker[1..], b]);
        if (check.ExitCode != 0)
            found.Add($"{checker[0]} ended with {check.ExitCode}: {check.All}");
        found.AddRange(DifferentRanges(a, b, await UsedRangesAsync(partclone, a)));
        var (left, right) = (await files(a), await files(b));
        found.AddRange(left.Where(file => !right.TryGetValue(file.Key, out var other) || other != file.Value).Select(file => $"file {file.Key} is {file.Value}, became {right.GetValueOrDefault(file.Key, "missing")}"));
        found.AddRange(right.Keys.Except(left.Keys).Select(file => $"file {file} is new"));
        if (left.Count == 0)
            found.Add("no file was compared");
        return found;
    }

    /// <summary>partclone's domain map (the format of ddrescue's map file): lines "position size status", + is used.</summary>
    private static async Task<IReadOnlyList<(long Offset, long Bytes)>> UsedRangesAsync(string kind, string image)
    {
        var map = $"{image}.map";
        await Command.RunAsync($"partclone.{kind}", "-D", "-s", image, "-o", map, "-L", $"{image}.log", "-F");
        var ranges = Regex.Matches(await File.ReadAllTextAsync(map), @"^0x([0-9A-Fa-f]+)\s+0x([0-9A-Fa-f]+)\s+\+", RegexOptions.Multiline)
            .Select(m => (long.Parse(m.Groups[1].Value, NumberStyles.HexNumber, CultureInfo.InvariantCulture), long.Parse(m.Groups[2].Value, NumberStyles.HexNumber, CultureInfo.InvariantCulture)))
            .ToList();
        return ranges.Count > 0 ? ranges : throw new LabException($"partclone.{kind} found no used block in {image}: {await File.ReadAllTextAsync(map)}");
    }

    private static IEnumerable<string> DifferentRanges(string a, string b, IEnumerable<(long Offset, long Bytes)> ranges)
    {
        using var left = File.OpenHandle(a);
        using var right = File.OpenHandle(b);
        var (x, y) = (new byte[1 << 16], new byte[1 << 16]);
        foreach (var (offset, bytes) in ranges)
        {
            for (long done = 0; done < bytes;)
            {
                var count = RandomAccess.Read(left, x.AsSpan(0, (int)Math.Min(x.Length, bytes - done)), offset + done);
                if (count == 0)
                    break;
                RandomAccess.Read(right, y.AsSpan(0, count), offset + done);
                var same = x.AsSpan(0, count).CommonPrefixLength(y.AsSpan(0, count));
                if (same < count)
                    yield return $"used bytes differ at {offset + done + same}";
                done += count;
            }
        }
    }

    private static async Task<IReadOnlyDictionary<string, string>> Ext4FilesAsync(string image)
    {
        await using var mount = await Mount.Ext4Async(image);
        return Hashes(mount.Folder);
    }

    private static async Task<IReadOnlyDictionary<string, string>> NtfsFilesAsync(string image)
    {
        await using var mount = await Mount.NtfsAsync(image, readOnly: true);
        return Hashes(mount.Folder);
    }

    private static async Task<IReadOnlyDictionary<string, string>> FatFilesAsync(string image)
    {
        var folder = Directory.CreateDirectory($"{image}.files").FullName;
        await Command.RunAsync("mcopy", "-s", "-i", image, "::/", folder);
        return Hashes(folder);
    }

    /// <summary>Relative path → kind, length and SHA-256 (or the target of a link).</summary>
    private static Dictionary<string, string> Hashes(string folder)
    {
        var all = new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0, IgnoreInaccessible = false };
        var found = new Dictionary<string, string>();
        foreach (var path in Directory.EnumerateFileSystemEntries(folder, "*", all))
        {
            var info = new FileInfo(path);
            found[Path.GetRelativePath(folder, path)] = info switch
            {
                { LinkTarget: { } link } => $"link to {link}",
                { Exists: false } => "folder",
                _ => Content(path),
            };
        }
        return found;
    }

    private static string Content(string path)
    {
        using var stream = File.OpenRead(path);
        return $"{stream.Length} bytes, {Convert.ToHexStringLower(SHA256.HashData(stream))[..16]}";
    }
}
