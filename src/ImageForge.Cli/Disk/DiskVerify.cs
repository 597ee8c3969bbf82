using System.CommandLine;
using ImageForge.Cli.Output;
using ImageForge.Cli.Stores;
using ImageForge.Imaging.Compare;
using ImageForge.Imaging.DiskFiles;

namespace ImageForge.Cli.Disk;

/// <summary><c>imageforge disk verify DISK IMAGE</c>: is every used block of the image on the disk, and its tables?</summary>
internal static class DiskVerify
{
    public static Command Make()
    {
        var disk = DiskCommands.DiskArgument();
        var image = new Argument<string>("IMAGE") { Description = "NAME, or NAME:VERSION" };
        var store = StoreOption.Make();
        var of = ImageDiskOption.Make();
        var sectorSize = DiskCommands.SectorSizeOption();
        var format = OutputOption.Make(OutputFormat.Table, OutputFormat.Json, OutputFormat.Csv, OutputFormat.Ids);
        var command = new Command("verify", "Compares a disk with an image; exit code 1 if it differs") { disk, image, store, of, sectorSize, format };
        command.Runs(async (parsed, cancel) =>
        {
            var local = StoreOption.Open(parsed.GetValue(store));
            var (name, manifest) = ImageDiskOption.Read(local, parsed.GetValue(image)!, parsed.GetValue(of));
            using var device = DiskFile.OpenForReading(parsed.GetValue(disk)!, parsed.GetValue(sectorSize) ?? manifest.SectorSize);
            using var reader = local.OpenReader();
            var comparison = new DiskComparison(device, manifest, reader);
            var work = comparison.RunAsync(cancel);
            await ProgressLine.WatchAsync(work, () => new Done("comparing", comparison.BytesDone, comparison.BytesTotal));
            return DifferenceText.Print(await work, device.Name, name, parsed.GetValue(format));
        });
        return command;
    }
}
