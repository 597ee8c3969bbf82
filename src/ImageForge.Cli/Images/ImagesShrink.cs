using System.CommandLine;
using ImageForge.Cli.Disk;
using ImageForge.Cli.Output;
using ImageForge.Cli.Stores;
using ImageForge.Imaging.Capture;
using ImageForge.Imaging.LocalStore;
using ImageForge.Imaging.Resize;

namespace ImageForge.Cli.Images;

/// <summary><c>imageforge images shrink NAME[:VERSION] --to SIZE</c>: a new version for a smaller disk, made in the image; no disk is touched.</summary>
internal static class ImagesShrink
{
    public static Command Make()
    {
        var image = ImagesCommands.ImageArgument();
        var to = new Option<string>("--to") { Description = "Size of the disk it has to fit", HelpName = "SIZE", Required = true };
        var store = StoreOption.Make();
        var temp = new Option<string?>("--temp") { Description = "Folder for a sparse file of one volume (default: the store's)", HelpName = "FOLDER" };
        var format = OutputOption.Make(OutputFormat.Table, OutputFormat.Json, OutputFormat.Ids);
        var command = new Command("shrink", "Makes a version that fits a smaller disk: ext and NTFS, by their own resizers") { image, to, store, temp, format };
        command.Runs(async (parsed, cancel) =>
        {
            if (!Sizes.TryParse(parsed.GetValue(to)!, out var size))
                throw Verb.UsageError($"\"{parsed.GetValue(to)}\" is not a size.", "Write for example --to 64GiB.");
            var (name, number) = ImageReference.Parse(parsed.GetValue(image)!);
            var local = StoreOption.Open(parsed.GetValue(store));
            var version = local.Find(name, number);
            var (_, manifest) = ImageDiskOption.Read(local, parsed.GetValue(image)!, null);
            using var reader = local.OpenReader();
            using var writer = local.OpenWriter(TimeProvider.System);
            var folder = Path.Combine(parsed.GetValue(temp) ?? local.Temporary, $"{LocalStoreWriter.TemporaryPrefix}{Guid.CreateVersion7():N}");
            var started = TimeProvider.System.GetTimestamp();
            CaptureReport report;
            try
            {
                var result = await new ShrinkEngine(manifest, reader, writer, folder).RunAsync(size, what => Console.Error.WriteLine($"{Tables.Printable(what)} …"), cancel);
                var made = writer.Seal(name, $"shrunk from {version}", [new CaptureResult(result.ManifestBytes, result.ManifestHash, result.Manifest)]);
                report = new CaptureReport(made, writer.NewBytes, 0, 0, TimeProvider.System.GetElapsedTime(started).TotalSeconds,
                    [.. result.Shrunk.Select(s => $"volume {s.Number}: {Sizes.Text(s.Before)} became {Sizes.Text(s.After)}")]);
            }
            catch
            {
                writer.Discard();
                throw;
            }
            finally
            {
                if (Directory.Exists(folder))
                    Directory.Delete(folder, recursive: true);
            }
            DiskCapture.Print(report, parsed.GetValue(format));
            return ExitCodes.Ok;
        });
        return command;
    }
}
