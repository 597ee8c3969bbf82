using System.CommandLine;
using System.Text.Json;
using ImageForge.Cli.Output;
using ImageForge.Contracts;
using ImageForge.Imaging.DiskFiles;
using ImageForge.Imaging.Disks;

namespace ImageForge.Cli.Disk;

/// <summary><c>imageforge disk show DISK</c>: partitions, file systems and how much of them is used.</summary>
internal static class DiskShow
{
    public static readonly Listing<PartitionReport> Partitions = new(
        CliJson.Default.IReadOnlyListPartitionReport, p => Sizes.Number(p.Number),
        new("number", p => Sizes.Number(p.Number), Right: true),
        new("offset", p => Sizes.Number(p.OffsetBytes), p => Sizes.Text(p.OffsetBytes), Right: true),
        new("size", p => Sizes.Number(p.SizeBytes), p => Sizes.Text(p.SizeBytes), Right: true),
        new("used", p => Sizes.Number(p.UsedBytes), p => Sizes.Text(p.UsedBytes), Right: true),
        new("filesystem", p => p.FileSystem),
        new("label", p => p.Label),
        new("name", p => p.Name),
        new("type", p => p.Type),
        new("uuid", p => p.Uuid));

    public static Command Make()
    {
        var disk = DiskCommands.DiskArgument();
        var sectorSize = DiskCommands.SectorSizeOption();
        var format = OutputOption.Make(OutputFormat.Table, OutputFormat.Json, OutputFormat.Csv, OutputFormat.Ids);
        var command = new Command("show", "Partitions, file systems and their used bytes; reads only") { disk, sectorSize, format };
        command.Runs((parsed, cancel) =>
        {
            using var device = DiskFile.OpenForReading(parsed.GetValue(disk)!, parsed.GetValue(sectorSize));
            Print(Read(device, cancel), parsed.GetValue(format));
            return Task.FromResult(ExitCodes.Ok);
        });
        return command;
    }

    private static DiskReport Read(IBlockDevice device, CancellationToken cancel) => PartitionTables.Read(device) switch
    {
        PartitionTableReading.Found found => DiskReport.Of(device, found.Layout, cancel),
        PartitionTableReading.Unusable unusable => throw new FailureException(unusable.Failure),
        var other => throw new InvalidOperationException($"{other} is not a reading"),
    };

    private static void Print(DiskReport report, OutputFormat format)
    {
        if (format == OutputFormat.Json)
        {
            Console.Out.WriteLine(JsonSerializer.Serialize(report, CliJson.Default.DiskReport));
            return;
        }
        if (format == OutputFormat.Table)
            Console.Out.WriteLine($"{report.Disk}: {Sizes.Text(report.SizeBytes)}, sectors of {report.SectorSize} bytes, {Scheme(report.Scheme)}, {Sizes.Text(report.UsedBytes)} used");
        Partitions.Print(report.Partitions, format, Console.Out);
        if (format != OutputFormat.Table)
            return;
        foreach (var note in report.Partitions.Where(p => p.Note is not null).Select(p => $"partition {p.Number}: {p.Note}").Concat(report.Notes))
            Console.Out.WriteLine($"note: {note}");
    }

    private static string Scheme(string scheme) => scheme switch { "gpt" => "GPT", "mbr" => "MBR", _ => "no partition table" };
}
