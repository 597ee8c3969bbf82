using System.Globalization;

namespace ImageForge.Imaging.Manifests;

/// <summary>Used sectors of a volume that the source disk could not read; the image holds zeros in their place.</summary>
/// <param name="Offset">Bytes from the volume's first.</param>
/// <param name="Length">Bytes, whole sectors.</param>
public readonly record struct DamagedRange(long Offset, long Length)
{
    private const int Listed = 12;

    public long End => Offset + Length;

    /// <summary>Sectors of the source disk, as numbers: <c>10247, 10250 to 10257 and 3 more ranges</c>.</summary>
    /// <param name="volumeOffset">First byte of the volume on the disk.</param>
    internal static string Describe(IReadOnlyList<DamagedRange> ranges, long volumeOffset, int sectorSize)
    {
        var shown = ranges.Take(Listed).Select(r => ((volumeOffset + r.Offset) / sectorSize, (volumeOffset + r.End) / sectorSize - 1))
            .Select(s => s.Item1 == s.Item2 ? s.Item1.ToString(CultureInfo.InvariantCulture) : string.Create(CultureInfo.InvariantCulture, $"{s.Item1} to {s.Item2}"));
        var more = ranges.Count > Listed ? string.Create(CultureInfo.InvariantCulture, $" and {ranges.Count - Listed} more ranges") : "";
        return string.Join(", ", shown) + more;
    }
}
