using System.Globalization;
using System.Text;

namespace ImageForge.Lab.Disks;

/// <summary>Fills a folder with files of many kinds and sizes: half random, half text, names in several scripts. The same seed makes the same tree.</summary>
internal static class SampleFiles
{
    private static readonly string[] Names = ["report", "Übung", "данные", "データ", "emoji-🖥", "a name with spaces"];

    public static void Fill(string folder, int files, long bytes, int seed)
    {
        var random = new Random(seed);
        var average = (int)(bytes / files);
        for (var i = 0; i < files; i++)
        {
            var sub = Directory.CreateDirectory(Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"d{i % 40}"), string.Create(CultureInfo.InvariantCulture, $"e{i % 7}"))).FullName;
            var name = string.Create(CultureInfo.InvariantCulture, $"{Names[i % Names.Length]}-{i}.bin");
            // Mostly small files, some empty, a few large: as on real disks.
            var size = (i % 50) switch { 0 => 0, 1 => average * 20, 2 => 7, _ => random.Next(average) };
            File.WriteAllBytes(Path.Combine(sub, name), i % 2 == 0 ? Noise(random, size) : Prose(random, size));
        }
    }

    /// <summary>Content whose file is deleted afterwards: stays in unused blocks.</summary>
    public static byte[] Leftovers(int bytes)
    {
        var text = Encoding.ASCII.GetBytes(SourceDisk.LeftoverText + "\n");
        var content = new byte[bytes];
        for (var i = 0; i < bytes; i++)
            content[i] = text[i % text.Length];
        return content;
    }

    private static byte[] Noise(Random random, int size)
    {
        var bytes = new byte[size];
        random.NextBytes(bytes);
        return bytes;
    }

    private static byte[] Prose(Random random, int size)
    {
        var text = new StringBuilder(size + 16);
        while (text.Length < size)
            text.Append(CultureInfo.InvariantCulture, $"line {random.Next(100000)} of {size}\n");
        return Encoding.ASCII.GetBytes(text.ToString(0, size));
    }
}
