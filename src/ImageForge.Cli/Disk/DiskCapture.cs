using System.CommandLine;
using System.Text.Json;
using ImageForge.Cli.Output;
using ImageForge.Cli.Stores;
using ImageForge.Contracts;
using ImageForge.Imaging.Capture;
using ImageForge.Imaging.Chunks;
using ImageForge.Imaging.DiskFiles;
using ImageForge.Imaging.Disks;
using ImageForge.Imaging.LocalStore;

namespace ImageForge.Cli.Disk;

/// <summary>What a capture or an import brought.</summary>
/// <param name="NewBytes">Frames that were new to the store.</param>
internal sealed record CaptureReport(LocalImageVersion Version, long NewBytes, long ChunksSent, long ChunksHeld, double Seconds);

/// <summary><c>imageforge disk capture DISK --image NAME</c>. The disk is opened read-only.</summary>
internal static class DiskCapture
{
    public static Command Make()
    {
        var disk = DiskCommands.DiskArgument();
        var image = new Option<string>("--image", "-i") { Description = "Name of the image; a new version of it is sealed", HelpName = "NAME", Required = true };
        var store = StoreOption.Make();
        var sectorSize = DiskCommands.SectorSizeOption();
        var choices = new CaptureChoiceOptions();
        var format = OutputOption.Make(OutputFormat.Table, OutputFormat.Json, OutputFormat.Ids);
        var command = new Command("capture", "Reads the used blocks of a disk into the store as a new version of an image") { disk, image, store, sectorSize, format };
        choices.AddTo(command);
        command.Runs(async (parsed, cancel) =>
        {
            CheckName(parsed.GetValue(image)!);
            var options = choices.Read(parsed);
            using var device = DiskFile.OpenForReading(parsed.GetValue(disk)!, parsed.GetValue(sectorSize));
            using var writer = StoreOption.OpenOrCreate(parsed.GetValue(store)).OpenWriter(TimeProvider.System);
            var report = await RunAsync(device, writer, parsed.GetValue(image)!, device.Name, options, cancel);
            Print(report, parsed.GetValue(format));
            return ExitCodes.Ok;
        });
        return command;
    }

    /// <summary>Told before hours of reading.</summary>
    public static void CheckName(string image)
    {
        if (!ImageNames.IsValid(image))
            throw Verb.UsageError($"\"{image}\" is not an image name.", $"An image name has {ImageNames.Rule}.");
    }

    public static async Task<CaptureReport> RunAsync(IBlockDevice device, LocalStoreWriter writer, string image, string source, CaptureOptions options, CancellationToken cancel)
    {
        var started = TimeProvider.System.GetTimestamp();
        var engine = new CaptureEngine(device, writer, options);
        var work = engine.RunAsync(cancel);
        await ProgressLine.WatchAsync(work, () => new Done("capturing", engine.Progress.BytesDone, engine.Progress.BytesTotal));
        var version = writer.Seal(image, source, await work);
        return new CaptureReport(version, writer.NewBytes, engine.Progress.ChunksSent, engine.Progress.ChunksHeld, TimeProvider.System.GetElapsedTime(started).TotalSeconds);
    }

    public static void Print(CaptureReport report, OutputFormat format)
    {
        var version = report.Version;
        if (format == OutputFormat.Json)
            Console.Out.WriteLine(JsonSerializer.Serialize(report, CliJson.Default.CaptureReport));
        else if (format == OutputFormat.Ids)
            Console.Out.WriteLine(version.ToString());
        else
            Console.Out.WriteLine(FormattableString.Invariant($"{version}: {Sizes.Text(version.UsedBytes)} of {Sizes.Text(version.DiskBytes)} used, {Sizes.Text(version.StoredBytes)} stored, {Sizes.Text(report.NewBytes)} of it new, in {report.Seconds:0.0} s"));
    }
}
