using System.CommandLine;
using System.Text.Json;
using ImageForge.Cli.Output;
using ImageForge.Cli.Stores;
using ImageForge.Contracts;
using ImageForge.Imaging.Capture;
using ImageForge.Imaging.DiskFiles;
using ImageForge.Imaging.Disks;
using ImageForge.Imaging.LocalStore;

namespace ImageForge.Cli.Disk;

/// <summary>What a capture or an import brought.</summary>
/// <param name="NewBytes">Frames that were new to the store.</param>
/// <param name="Notes">What people should know of this image.</param>
internal sealed record CaptureReport(LocalImageVersion Version, long NewBytes, long ChunksSent, long ChunksHeld, double Seconds, IReadOnlyList<string> Notes);

/// <summary><c>imageforge disk capture DISK… --image NAME</c>. The disks are opened read-only.</summary>
internal static class DiskCapture
{
    public static Command Make()
    {
        var disks = new Argument<string[]>("DISK") { Description = "A block device (/dev/…), a raw image file, or a qcow2, vmdk, vhdx, vhd or vdi file; several make one image of several disks", Arity = ArgumentArity.OneOrMore };
        var image = new Option<string>("--image", "-i") { Description = "Name of the image; a new version of it is sealed", HelpName = "NAME", Required = true };
        var store = StoreOption.Make();
        var sectorSize = DiskCommands.SectorSizeOption();
        var choices = new CaptureChoiceOptions();
        var format = OutputOption.Make(OutputFormat.Table, OutputFormat.Json, OutputFormat.Ids);
        var command = new Command("capture", "Reads the used blocks of a disk into the store as a new version of an image") { disks, image, store, sectorSize, format };
        choices.AddTo(command);
        command.Runs(async (parsed, cancel) =>
        {
            CheckName(parsed.GetValue(image)!);
            var run = new CaptureRun(choices.Read(parsed));
            var paths = parsed.GetValue(disks)!;
            foreach (var path in paths)
                DiskFile.OpenForReading(path, parsed.GetValue(sectorSize)).Dispose();
            using var writer = StoreOption.OpenOrCreate(parsed.GetValue(store)).OpenWriter(TimeProvider.System);
            foreach (var path in paths)
            {
                using var device = DiskFile.OpenForReading(path, parsed.GetValue(sectorSize));
                await run.AddAsync(device, writer, paths.Length > 1 ? $"capturing {Path.GetFileName(path)}" : "capturing", cancel);
            }
            Print(run.Seal(writer, parsed.GetValue(image)!, string.Join(", ", paths)), parsed.GetValue(format));
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

    public static void Print(CaptureReport report, OutputFormat format)
    {
        var version = report.Version;
        if (format == OutputFormat.Json)
            Console.Out.WriteLine(JsonSerializer.Serialize(report, CliJson.Default.CaptureReport));
        else if (format == OutputFormat.Ids)
            Console.Out.WriteLine(version.ToString());
        else
            Console.Out.WriteLine(FormattableString.Invariant($"{version}: {Sizes.Text(version.UsedBytes)} of {Sizes.Text(version.DiskBytes)} used, {Sizes.Text(version.StoredBytes)} stored, {Sizes.Text(report.NewBytes)} of it new, in {report.Seconds:0.0} s"));
        if (format != OutputFormat.Json)
            foreach (var note in report.Notes)
                Console.Error.WriteLine($"note: {Tables.Printable(note)}");
    }
}

/// <summary>The disks of one image, one after the other, then the seal.</summary>
internal sealed class CaptureRun(CaptureOptions options)
{
    private readonly long _started = TimeProvider.System.GetTimestamp();
    private readonly List<CaptureResult> _results = [];
    private long _sent, _held;

    /// <summary>More to tell than the file systems say themselves.</summary>
    public List<string> Notes { get; } = [];

    public async Task AddAsync(IBlockDevice device, LocalStoreWriter writer, string phase, CancellationToken cancel)
    {
        var engine = new CaptureEngine(device, writer, options);
        var work = engine.RunAsync(cancel);
        await ProgressLine.WatchAsync(work, () => new Done(phase, engine.Progress.BytesDone, engine.Progress.BytesTotal));
        _results.Add(await work);
        _sent += engine.Progress.ChunksSent;
        _held += engine.Progress.ChunksHeld;
    }

    public CaptureReport Seal(LocalStoreWriter writer, string image, string source)
    {
        var version = writer.Seal(image, source, _results);
        var notes = from result in _results from volume in result.Manifest.Volumes where volume.Header.Note is not null select $"volume {volume.Header.Partition.Number}: {volume.Header.Note}";
        return new CaptureReport(version, writer.NewBytes, _sent, _held, TimeProvider.System.GetElapsedTime(_started).TotalSeconds, [.. Notes, .. _results.SelectMany(result => result.Manifest.DamageNotes()), .. notes]);
    }
}
