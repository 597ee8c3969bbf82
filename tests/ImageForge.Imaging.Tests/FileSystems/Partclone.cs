using System.Globalization;
using ImageForge.Imaging.FileSystems;

namespace ImageForge.Imaging.Tests.FileSystems;

/// <summary>The independent judge: partclone's domain map (the ddrescue format) of what is used.</summary>
internal static class Partclone
{
    /// <param name="fileSystem">extfs, ntfs or fat.</param>
    /// <returns>Byte ranges partclone would copy.</returns>
    public static List<(long Start, long Length)> UsedRanges(string fileSystem, string image)
    {
        var map = image + ".map";
        Shell.Run($"partclone.{fileSystem}", "-D", "-s", image, "-O", map, "-L", image + ".log");
        var ranges = new List<(long, long)>();
        foreach (var line in File.ReadLines(map))
        {
            var fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (fields is [var start, var length, "+"])
                ranges.Add((Hex(start), Hex(length)));
        }
        return ranges;
    }

    /// <summary>Compares byte for byte at 512-byte grain.</summary>
    /// <returns>What partclone uses and we do not (a loss), and what we use and partclone does not, in bytes, plus the first few of each.</returns>
    public static Comparison Compare(VolumeContent ours, List<(long Start, long Length)> theirs, long volumeBytes)
    {
        const int grain = 512;
        var judge = new BlockMap(volumeBytes / grain);
        foreach (var (start, length) in theirs)
        {
            var end = Math.Min(start + length, volumeBytes);
            judge.Set(start / grain, (end - start) / grain);
        }
        long lost = 0, extra = 0;
        var samples = new List<string>();
        var (runStart, runLost) = (-1L, false);
        for (long i = 0; i < judge.BlockCount; i++)
        {
            var (a, b) = (ours.Used[i * grain / ours.BlockSize], judge[i]);
            if (runStart >= 0 && (a == b || b != runLost))
                EndRun(i);
            if (a == b)
                continue;
            if (b)
                lost += grain;
            else
                extra += grain;
            if (runStart < 0)
                (runStart, runLost) = (i, b);
        }
        if (runStart >= 0)
            EndRun(judge.BlockCount);
        void EndRun(long end)
        {
            if (samples.Count < 12)
                samples.Add($"{(runLost ? "lost" : "extra")} at 0x{runStart * grain:x}+0x{(end - runStart) * grain:x}");
            runStart = -1;
        }
        return new Comparison(lost, extra, string.Join(", ", samples));
    }

    public sealed record Comparison(long LostBytes, long ExtraBytes, string Samples);

    private static long Hex(string text) => long.Parse(text.AsSpan(2), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
}
