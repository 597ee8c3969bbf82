using System.Globalization;
using System.Text.RegularExpressions;
using ImageForge.Imaging.FileSystems;

namespace ImageForge.Imaging.Tests.FileSystems;

/// <summary>What other programs say about the same volume.</summary>
internal static partial class Judges
{
    /// <summary>A block partclone uses and we do not would be lost on restore; what only we use must stay within a known bound.</summary>
    public static void AssertAgreesWithPartclone(MadeVolume volume, VolumeContent ours, string fileSystem, long allowedExtra) =>
        AssertAgrees(volume, ours, Partclone.UsedRanges(fileSystem, volume.Image), allowedExtra);

    public static void AssertAgrees(MadeVolume volume, VolumeContent ours, List<(long Start, long Length)> theirs, long allowedExtra)
    {
        var comparison = Partclone.Compare(ours, theirs, volume.Bytes);
        Assert.True(comparison.LostBytes == 0, $"{comparison.LostBytes} bytes would be lost: {comparison.Samples}");
        Assert.True(comparison.ExtraBytes <= allowedExtra, $"{comparison.ExtraBytes} bytes too many, {allowedExtra} are explained: {comparison.Samples}");
        Assert.InRange(ours.Used.CountUsed(), 1, ours.Used.BlockCount - 1);
    }

    /// <summary>e2fsprogs' list of free blocks must be ours exactly.</summary>
    public static void AssertFreeBlocksEqualDumpe2fs(MadeVolume volume, VolumeContent ours)
    {
        var text = Shell.Run("dumpe2fs", volume.Image);
        var blocks = long.Parse(BlockCountLine().Match(text).Groups[1].ValueSpan, CultureInfo.InvariantCulture);
        // Ranges end with the first block of the last free cluster.
        var clusterBlocks = ClusterSizeLine().Match(text) is { Success: true } cluster ? long.Parse(cluster.Groups[1].ValueSpan, CultureInfo.InvariantCulture) / ours.BlockSize : 1;
        var theirs = BlockMap.AllUsed(ours.Used.BlockCount);
        foreach (Match line in FreeBlocksLine().Matches(text))
            foreach (var range in line.Groups[1].Value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
            {
                var ends = range.Split('-');
                var (first, last) = (long.Parse(ends[0], CultureInfo.InvariantCulture), long.Parse(ends[^1], CultureInfo.InvariantCulture));
                theirs.Clear(first, Math.Min(last + clusterBlocks, blocks) - first);
            }
        for (long block = 0; block < blocks; block++)
            Assert.True(ours.Used[block] == theirs[block], $"block {block}: used here {ours.Used[block]}, dumpe2fs {theirs[block]}");
    }

    /// <summary>With every unused block overwritten the checker must find nothing and every file must read the same.</summary>
    public static void AssertSurvivesRestore(MadeVolume volume, VolumeContent ours, params string[] checker)
    {
        var restored = AssertCheckerPasses(volume, ours, checker);
        var before = volume.HashFiles(volume.Image);
        Assert.True(before.Count > 5, $"only {before.Count} files to compare");
        Assert.Equal(before, volume.HashFiles(restored));
    }

    /// <returns>The checked copy, every unused block of it overwritten.</returns>
    public static string AssertCheckerPasses(MadeVolume volume, VolumeContent ours, params string[] checker)
    {
        var restored = volume.CopyWithGarbageInUnused(ours);
        Shell.Run(checker[0], [.. checker[1..], restored]);
        return restored;
    }

    /// <summary>Nothing may be skipped, and the note says why.</summary>
    public static void AssertTakenWhole(VolumeContent content, FileSystemKind kind, string note, VolumeState state = VolumeState.Clean)
    {
        Assert.Equal((kind, state), (content.Kind, content.State));
        Assert.Contains(note, content.Note, StringComparison.Ordinal);
        Assert.Equal(content.Used.BlockCount, content.Used.CountUsed());
    }

    /// <summary>mtools' list of the clusters of every file.</summary>
    public static List<(long Start, long Length)> ClustersByMtools(string image, long dataOffset, int clusterSize)
    {
        var ranges = new List<(long, long)> { (0, dataOffset) };
        foreach (Match chain in Chain().Matches(Shell.Run("mshowfat", "-i", image, "::*")))
        {
            var first = long.Parse(chain.Groups[1].ValueSpan, CultureInfo.InvariantCulture);
            var last = chain.Groups[2].Success ? long.Parse(chain.Groups[2].ValueSpan, CultureInfo.InvariantCulture) : first;
            ranges.Add((dataOffset + (first - 2) * clusterSize, (last - first + 1) * clusterSize));
        }
        return ranges;
    }

    [GeneratedRegex(@"^Block count: +(\d+)", RegexOptions.Multiline)]
    private static partial Regex BlockCountLine();

    [GeneratedRegex(@"^Cluster size: +(\d+)", RegexOptions.Multiline)]
    private static partial Regex ClusterSizeLine();

    [GeneratedRegex(@"^  Free blocks: (.*)$", RegexOptions.Multiline)]
    private static partial Regex FreeBlocksLine();

    [GeneratedRegex(@"<(\d+)(?:-(\d+))?>")]
    private static partial Regex Chain();
}
