using System.CommandLine;
using ImageForge.Cli.Disk;
using ImageForge.Cli.Output;
using ImageForge.Cli.Stores;
using ImageForge.Imaging.Imports;
using ImageForge.Imaging.LocalStore;

namespace ImageForge.Cli.Images;

/// <summary><c>imageforge images import FILE|FOLDER --image NAME</c>: an image of another program becomes one of ours.</summary>
internal static class ImagesImport
{
    public static Command Make()
    {
        var path = new Argument<string>("PATH") { Description = "A raw, qcow2, vmdk, vhdx, vhd or vdi disk (raw also compressed), a partclone image, or an image folder of FOG or Clonezilla" };
        var image = new Option<string>("--image", "-i") { Description = "Name of the image; a new version of it is sealed", HelpName = "NAME", Required = true };
        var store = StoreOption.Make();
        var disk = new Option<string?>("--disk") { Description = "Only this disk of a folder with several: 1, 2 … (FOG), sda … (Clonezilla)", HelpName = "NAME" };
        var smallest = new Option<bool>("--smallest-layout") { Description = "FOG's resizable images: partitions as small as FOG shrank them" };
        var temp = new Option<string?>("--temp") { Description = "Folder for a temporary file as large as the content (default: the store's)", HelpName = "FOLDER" };
        var sectorSize = DiskCommands.SectorSizeOption();
        var choices = new CaptureChoiceOptions();
        var format = OutputOption.Make(OutputFormat.Table, OutputFormat.Json, OutputFormat.Ids);
        var command = new Command("import", "Makes an image from what another program keeps") { path, image, store, disk, smallest, temp, sectorSize, format };
        choices.AddTo(command);
        command.Runs(async (parsed, cancel) =>
        {
            DiskCapture.CheckName(parsed.GetValue(image)!);
            var source = parsed.GetValue(path)!;
            var run = new CaptureRun(choices.Read(parsed));
            var disks = parsed.GetValue(disk) is { } one ? [one] : DiskImport.Disks(source);
            var local = StoreOption.OpenOrCreate(parsed.GetValue(store));
            using var writer = local.OpenWriter(TimeProvider.System);
            var options = new ImportOptions(parsed.GetValue(temp) ?? local.Temporary, null, parsed.GetValue(smallest), parsed.GetValue(sectorSize));
            CaptureReport report;
            try
            {
                foreach (var name in disks)
                    await ImportAsync(source, options with { Disk = name }, disks.Count > 1, run, writer, cancel);
                report = run.Seal(writer, parsed.GetValue(image)!, source);
            }
            catch
            {
                // Bad input leaves nothing behind; what was read can be read again.
                writer.Discard();
                throw;
            }
            DiskCapture.Print(report, parsed.GetValue(format));
            return ExitCodes.Ok;
        });
        return command;
    }

    private static async Task ImportAsync(string source, ImportOptions options, bool several, CaptureRun run, LocalStoreWriter writer, CancellationToken cancel)
    {
        var now = new Done("unpacking", 0, 0);
        var opening = Task.Factory.StartNew(
            () => DiskImport.Open(source, options with { Progress = (what, done, total) => now = new Done($"unpacking {what}", done, total) }, cancel),
            cancel, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        await ProgressLine.WatchAsync(opening, () => now);
        using var imported = await opening;
        run.Notes.AddRange(imported.Notes.Select(note => several ? $"disk {options.Disk}: {note}" : note));
        await run.AddAsync(imported.Disk, writer, several ? $"importing {options.Disk}" : "importing", cancel);
    }
}
