using System.CommandLine;
using System.Text.Json;
using ImageForge.Cli.Disk;
using ImageForge.Cli.Output;
using ImageForge.Cli.Stores;
using ImageForge.Imaging.LocalStore;
using ImageForge.Imaging.Manifests;

namespace ImageForge.Cli.Images;

/// <summary>A version and what its disk looked like.</summary>
internal sealed record ImageDetails(LocalImageVersion Version, IReadOnlyList<ImageDiskDetails> Disks)
{
    public static ImageDetails Of(LocalImageVersion version, ImageDisks image) => new(version, [.. image.Disks.Select(disk => ImageDiskDetails.Of(disk.Manifest))]);
}

internal sealed record ImageDiskDetails(long SizeBytes, int SectorSize, string Scheme, string? DiskModel, IReadOnlyList<PartitionReport> Volumes, IReadOnlyList<string> Damage)
{
    public static ImageDiskDetails Of(Manifest manifest) => new(
        manifest.DiskSizeBytes, manifest.SectorSize, manifest.Scheme.ToString().ToLowerInvariant(), manifest.DiskModel,
        [.. manifest.Volumes.Select(volume => Report(volume))], [.. manifest.DamageNotes()]);

    private static PartitionReport Report(ManifestVolume volume)
    {
        var (header, partition) = (volume.Header, volume.Header.Partition);
        return new PartitionReport(partition.Number, partition.Offset, partition.Length, partition.Type, partition.Name, partition.UniqueId,
            header.FileSystem.ToString().ToLowerInvariant(), header.Uuid, header.Label, volume.UsedBytes, header.Note);
    }
}

/// <summary><c>imageforge images show NAME</c>: its versions; with a version: its volumes.</summary>
internal static class ImagesShow
{
    private static readonly Listing<LocalImageVersion> s_versions = new(
        CliJson.Default.IReadOnlyListLocalImageVersion, v => v.ToString(),
        new("version", v => Sizes.Number(v.Number), Right: true),
        new("sealed", v => ImagesList.Time(v.SealedAt)),
        new("disk", v => Sizes.Number(v.DiskBytes), v => Sizes.Text(v.DiskBytes), Right: true),
        new("used", v => Sizes.Number(v.UsedBytes), v => Sizes.Text(v.UsedBytes), Right: true),
        new("stored", v => Sizes.Number(v.StoredBytes), v => Sizes.Text(v.StoredBytes), Right: true),
        new("source", v => v.Source),
        new("manifest", v => v.ManifestHash, v => v.ManifestHash[..12]));

    public static Command Make()
    {
        var image = ImagesCommands.ImageArgument();
        var store = StoreOption.Make();
        var format = OutputOption.Make(OutputFormat.Table, OutputFormat.Json, OutputFormat.Csv, OutputFormat.Ids);
        var command = new Command("show", "The versions of an image, or the volumes of one version") { image, store, format };
        command.Runs((parsed, _) =>
        {
            var (name, number) = ImageReference.Parse(parsed.GetValue(image)!);
            var local = StoreOption.Open(parsed.GetValue(store));
            var version = local.Find(name, number);
            if (number is null)
                s_versions.Print(local.Versions(name), parsed.GetValue(format), Console.Out);
            else
                Print(ImageDetails.Of(version, local.ReadImage(version)), parsed.GetValue(format));
            return Task.FromResult(ExitCodes.Ok);
        });
        return command;
    }

    private static void Print(ImageDetails details, OutputFormat format)
    {
        if (format == OutputFormat.Json)
        {
            Console.Out.WriteLine(JsonSerializer.Serialize(details, CliJson.Default.ImageDetails));
            return;
        }
        if (format == OutputFormat.Table)
            Console.Out.WriteLine($"{details.Version}: {details.Version.Source}, sealed {ImagesList.Time(details.Version.SealedAt)}, manifest {details.Version.ManifestHash}");
        foreach (var (disk, number) in details.Disks.Select((disk, i) => (disk, i + 1)))
        {
            if (format == OutputFormat.Table && details.Disks.Count > 1)
                Console.Out.WriteLine($"disk {number}: {Sizes.Text(disk.SizeBytes)}");
            DiskShow.Partitions.Print(disk.Volumes, format, Console.Out);
            if (format == OutputFormat.Table)
                foreach (var damage in disk.Damage)
                    Console.Out.WriteLine($"damaged: {Tables.Printable(damage)}");
            if (format == OutputFormat.Table)
                foreach (var volume in disk.Volumes.Where(volume => volume.Note is not null))
                    Console.Out.WriteLine($"note: partition {volume.Number}: {Tables.Printable(volume.Note!)}");
        }
    }
}
