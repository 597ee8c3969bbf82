using System.Globalization;
using System.Text.RegularExpressions;

namespace ImageForge.Imaging.Tests.FileSystems;

/// <summary>
/// What btrfs-progs says is allocated: its dump of the extent tree, mapped by its dump of the chunk tree. partclone 0.3.23 is no judge: it takes
/// logical addresses of file extents for physical ones, only the first of DUP's two places, and whole nodes of 16 KiB for blocks of 4.
/// </summary>
internal static partial class BtrfsJudge
{
    public static List<(long Start, long Length)> UsedRanges(string image)
    {
        var super = Shell.Run("btrfs", "inspect-internal", "dump-super", image);
        var (nodeSize, deviceBytes) = (Number(NodeSizeLine().Match(super)), Number(DeviceBytesLine().Match(super)));
        var chunks = ChunkLines().Matches(Shell.Run("btrfs", "inspect-internal", "dump-tree", "-t", "chunk", image))
            .Select(match => (Start: Number(match, 1), Length: Number(match, 2), Places: match.Groups[3].Captures.Select(place => long.Parse(place.ValueSpan, CultureInfo.InvariantCulture)).ToArray())).ToArray();
        var ranges = new List<(long, long)> { (0, 1 << 20) };
        foreach (var copy in new[] { 64L << 20, 256L << 30 })
            if (copy + 4096 <= deviceBytes)
                ranges.Add((copy, 4096));
        foreach (Match item in ExtentLine().Matches(Shell.Run("btrfs", "inspect-internal", "dump-tree", "-t", "extent", image)))
        {
            var start = Number(item, 1);
            var chunk = chunks.Single(chunk => chunk.Start <= start && start < chunk.Start + chunk.Length);
            foreach (var place in chunk.Places)
                ranges.Add((place + start - chunk.Start, item.Groups[2].Value == "EXTENT_ITEM" ? Number(item, 3) : nodeSize));
        }
        Assert.True(ranges.Count > 10 && chunks.Length >= 2);
        return ranges;
    }

    private static long Number(Match match, int group = 1) => long.Parse(match.Groups[group].ValueSpan, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^nodesize\s+(\d+)", RegexOptions.Multiline)]
    private static partial Regex NodeSizeLine();

    [GeneratedRegex(@"^dev_item\.total_bytes\s+(\d+)", RegexOptions.Multiline)]
    private static partial Regex DeviceBytesLine();

    [GeneratedRegex(@"CHUNK_ITEM (\d+)\) itemoff \d+ itemsize \d+\s+length (\d+) owner.*\n.*\n.*num_stripes.*\n(?:\s+stripe \d+ devid 1 offset (\d+)\n.*\n)+")]
    private static partial Regex ChunkLines();

    [GeneratedRegex(@"item \d+ key \((\d+) (EXTENT_ITEM|METADATA_ITEM) (\d+)\)")]
    private static partial Regex ExtentLine();
}
