using System.CommandLine;
using ImageForge.Cli.Output;
using ImageForge.Cli.Stores;
using ImageForge.Imaging.Compare;
using ImageForge.Imaging.DiskFiles;
using ImageForge.Imaging.LocalStore;
using ImageForge.Imaging.Manifests;

namespace ImageForge.Cli.Disk;

/// <summary><c>imageforge disk diff A B</c>: two versions or images, or a disk and an image.</summary>
internal static class DiskDiff
{
    public static Command Make()
    {
        var first = new Argument<string>("A") { Description = "NAME[:VERSION], or a disk" };
        var second = new Argument<string>("B") { Description = "NAME[:VERSION]" };
        var store = StoreOption.Make();
        var of = ImageDiskOption.Make();
        var sectorSize = DiskCommands.SectorSizeOption();
        var format = OutputOption.Make(OutputFormat.Table, OutputFormat.Json, OutputFormat.Csv, OutputFormat.Ids);
        var command = new Command("diff", "Bytes and chunks that differ, volume by volume; exit code 1 if any does") { first, second, store, of, sectorSize, format };
        command.Runs(async (parsed, cancel) =>
        {
            var local = StoreOption.Open(parsed.GetValue(store));
            var (a, b) = (parsed.GetValue(first)!, parsed.GetValue(second)!);
            // A path is a disk; a name without a slash that is an image is the image.
            if (IsDisk(local, b) && !IsDisk(local, a))
                (a, b) = (b, a);
            var (name, manifest) = ImageDiskOption.Read(local, b, parsed.GetValue(of));
            using var reader = local.OpenReader();
            if (!IsDisk(local, a))
            {
                var (other, before) = ImageDiskOption.Read(local, a, parsed.GetValue(of));
                return DifferenceText.Print(await new ImageComparison(before, manifest, reader).RunAsync(cancel), other, name, parsed.GetValue(format));
            }
            using var device = DiskFile.OpenForReading(a, parsed.GetValue(sectorSize) ?? manifest.SectorSize);
            var comparison = new DiskComparison(device, manifest, reader);
            var work = comparison.RunAsync(cancel);
            await ProgressLine.WatchAsync(work, () => new Done("comparing", comparison.BytesDone, comparison.BytesTotal));
            return DifferenceText.Print(await work, device.Name, name, parsed.GetValue(format));
        });
        return command;
    }

    private static bool IsDisk(LocalStore local, string text) =>
        text.Contains('/') || (DiskFile.Exists(text) && local.Versions(ImageReference.Parse(text).Name).Count == 0);
}

/// <summary><c>--of N</c>: which disk of an image that has several.</summary>
internal static class ImageDiskOption
{
    public static Option<int?> Make() => new("--of") { Description = "Which disk of an image of several, from 1", HelpName = "N" };

    public static (string Name, Manifest Manifest) Read(LocalStore local, string image, int? number)
    {
        var (name, wanted) = ImageReference.Parse(image);
        var version = local.Find(name, wanted);
        var disks = local.ReadImage(version).Disks;
        if (number is null && disks.Count > 1)
            throw Verb.UsageError($"{version} has {disks.Count} disks.", "Name one with --of 1, --of 2 …");
        return number is null or >= 1 && (number ?? 1) <= disks.Count
            ? (disks.Count > 1 ? $"{version} disk {number}" : version.ToString(), disks[(number ?? 1) - 1].Manifest)
            : throw Verb.UsageError($"{version} has no disk {number}.", $"It has {disks.Count}.");
    }
}
