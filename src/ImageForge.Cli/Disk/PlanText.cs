using ImageForge.Cli.Output;
using ImageForge.Contracts;

namespace ImageForge.Cli.Disk;

/// <summary>A deploy plan as people read it.</summary>
internal static class PlanText
{
    public static void Print(DeployPlan plan, string image, TextWriter output)
    {
        output.WriteLine($"{image} onto {plan.DiskName}: {Sizes.Text(plan.DiskSizeBytes)}, sectors of {plan.SectorSize} bytes");
        Tables.Print(output,
            [("number", true), ("name", false), ("filesystem", false), ("offset", true), ("size", true), ("writes", true), ("what", false)],
            [.. plan.Volumes.Select(v => (string[])[Sizes.Number(v.Number), v.Name, v.FileSystem, Sizes.Text(v.OffsetBytes), Sizes.Text(v.SizeBytes), Sizes.Text(v.UsedBytes), v.Change.ToString().ToLowerInvariant()])]);
        output.WriteLine($"writes {Sizes.Text(plan.BytesToWrite)}, fetches at most {Sizes.Text(plan.BytesToFetchAtMost)} before compression, reads back {Sizes.Text(plan.BytesToReadBack)}");
        foreach (var found in plan.Found?.Where(f => f.Erased) ?? [])
            output.WriteLine($"lost: partition {found.Number}, {found.FileSystem}{(found.Label is null ? "" : $" \"{Tables.Printable(found.Label)}\"")}, {Sizes.Text(found.SizeBytes)}");
        foreach (var note in plan.Notes ?? [])
            output.WriteLine($"note: {Tables.Printable(note)}");
        output.WriteLine(Tables.Printable(plan.Erases));
    }

    /// <summary>What is known of a disk that was named by its path.</summary>
    public static DiskInventory Disk(string path, long sizeBytes, int sectorSize) =>
        new(path, null, null, null, sizeBytes, sectorSize, sectorSize, Rotational: false, Removable: false, ReadOnly: false, Bus: null, BootMedium: false);
}
