namespace ImageForge.Bench.Imaging;

/// <summary>What weeks of use do to a disk, in the two forms that the benches define.</summary>
internal static class Drift
{
    private const int MostFolders = 20;

    /// <summary>Files worth 2 % of the bytes replaced and added in at most twenty folders, as a package upgrade does it: written beside, then renamed over.</summary>
    public static long Update(string root, int seed)
    {
        var folders = Directory.EnumerateDirectories(root, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)
            .Select(f => (Files: FilesOf(f), Path: f)).Where(f => f.Files.Count > 0).ToList();
        var goal = folders.Sum(f => f.Files.Sum(Length)) / 50;
        var random = new Random(seed);
        long changed = 0;
        var touched = 0;
        foreach (var (files, _) in folders.OrderBy(_ => random.Next()).Where(f => f.Files.Sum(Length) is var bytes && bytes >= goal / MostFolders && bytes < 4 * goal))
        {
            foreach (var file in files)
            {
                if (changed >= goal)
                    return changed;
                Replace(file, seed);
                changed += Length(file);
                // Every tenth file of the new release is one that the old one did not have.
                if (random.Next(10) == 0)
                {
                    WriteSubstituted(file, $"{file}.new{seed}", seed + 1);
                    changed += Length(file);
                }
            }
            if (++touched == MostFolders)
                return changed;
        }
        return changed;
    }

    /// <summary>2 % of the files at random, replaced.</summary>
    public static long Scatter(string root, int seed)
    {
        var random = new Random(seed);
        long changed = 0;
        foreach (var file in Directory.EnumerateFiles(root, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal).Where(_ => random.Next(50) == 0).ToList())
        {
            Replace(file, seed);
            changed += Length(file);
        }
        return changed;
    }

    /// <summary>New files worth <paramref name="percent"/> of what is there, as the software of another department.</summary>
    public static long OwnFiles(string root, int percent, int seed)
    {
        var all = Directory.EnumerateFiles(root, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal).ToList();
        var goal = all.Sum(Length) * percent / 100;
        var start = new Random(seed).Next(all.Count);
        long written = 0;
        for (var i = 0; written < goal; i++)
        {
            var source = all[(start + i) % all.Count];
            var target = Path.Combine(root, $"own{seed}", Path.GetRelativePath(root, source));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            WriteSubstituted(source, target, seed);
            written += Length(source);
        }
        return written;
    }

    /// <summary>Other bytes that compress as the old ones do: each value stands for another one everywhere.</summary>
    public static void WriteSubstituted(string source, string target, int seed)
    {
        var table = Enumerable.Range(0, 256).Select(i => (byte)i).ToArray();
        new Random(seed).Shuffle(table);
        var content = File.ReadAllBytes(source);
        for (var i = 0; i < content.Length; i++)
            content[i] = table[content[i]];
        File.WriteAllBytes(target, content);
    }

    private static void Replace(string file, int seed)
    {
        WriteSubstituted(file, file + ".part", seed);
        File.Move(file + ".part", file, overwrite: true);
    }

    private static List<string> FilesOf(string folder) => [.. Directory.EnumerateFiles(folder).Order(StringComparer.Ordinal)];

    private static long Length(string file) => new FileInfo(file).Length;
}
