using System.Text.Json;
using ImageForge.Cli.Output;
using ImageForge.Imaging.Compare;

namespace ImageForge.Cli.Disk;

/// <summary>Differences as people and programs read them; the exit code says whether there are any.</summary>
internal static class DifferenceText
{
    private const int RangesShown = 10;

    private static readonly Listing<VolumeDifference> s_volumes = new(
        CliJson.Default.IReadOnlyListVolumeDifference, v => Sizes.Number(v.Number),
        new("number", v => Sizes.Number(v.Number), Right: true),
        new("name", v => v.Name),
        new("filesystem", v => v.FileSystem),
        new("used", v => Sizes.Number(v.UsedBytes), v => Sizes.Text(v.UsedBytes), Right: true),
        new("chunks", v => Sizes.Number(v.ChunksCompared), Right: true),
        new("differ", v => Sizes.Number(v.ChunksDifferent), Right: true),
        new("bytes", v => Sizes.Number(v.BytesDifferent), v => Sizes.Text(v.BytesDifferent), Right: true),
        new("ranges", v => Sizes.Number(v.RangeCount), Right: true),
        new("remark", v => v.Only));

    public static int Print(DiskDifference difference, string first, string second, OutputFormat format)
    {
        if (format == OutputFormat.Json)
            Console.Out.WriteLine(JsonSerializer.Serialize(difference, CliJson.Default.DiskDifference));
        else
            s_volumes.Print(format == OutputFormat.Ids ? [.. difference.Volumes.Where(volume => !volume.Same)] : difference.Volumes, format, Console.Out);
        if (format == OutputFormat.Table)
            PrintDetails(difference, first, second);
        return difference.Same ? ExitCodes.Ok : ExitCodes.Failed;
    }

    private static void PrintDetails(DiskDifference difference, string first, string second)
    {
        foreach (var volume in difference.Volumes.Where(volume => volume.RangeCount > 0))
        {
            var ranges = string.Join(", ", volume.Ranges.Take(RangesShown).Select(range => FormattableString.Invariant($"{range.Offset}+{range.Length}")));
            Console.Out.WriteLine($"volume {volume.Number}, bytes: {ranges}{(volume.RangeCount > RangesShown ? $" and {volume.RangeCount - RangesShown} more" : "")}");
        }
        foreach (var table in difference.Tables)
            Console.Out.WriteLine($"differs: {table}");
        Console.Out.WriteLine(difference.Same ? $"{first} and {second} are the same" : $"{first} and {second} differ: {Sizes.Text(difference.BytesDifferent)} in {difference.Volumes.Count(volume => !volume.Same)} volume(s)");
    }
}
