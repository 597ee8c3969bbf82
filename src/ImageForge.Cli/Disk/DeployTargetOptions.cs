using System.CommandLine;
using ImageForge.Cli.Output;
using ImageForge.Contracts;
using ImageForge.Imaging.Deploy;
using ImageForge.Imaging.DiskFiles;
using ImageForge.Imaging.Manifests;
using ImageForge.Imaging.Resize;

namespace ImageForge.Cli.Disk;

/// <summary>What is written to, and how carefully.</summary>
internal sealed class DeployTargetOptions
{
    private readonly Option<int?> _sectorSize = DiskCommands.SectorSizeOption();
    private readonly Option<string?> _size = new("--size") { Description = "Make TARGET as a new file of this size; its format follows from its name (.qcow2, .vmdk, .vhdx, .vhd, .vdi, else raw)", HelpName = "SIZE" };
    private readonly Option<bool> _noReadBack = new("--no-read-back") { Description = "Do not read back what was written" };
    private readonly Option<bool> _compare = new("--compare") { Description = "Compare everything on the disk, even if samples show that little of it is right" };

    public void AddTo(Command command)
    {
        foreach (var option in (Option[])[_sectorSize, _size, _noReadBack, _compare])
            command.Add(option);
    }

    public DeployOptions Read(ParseResult parsed) => new(
        ReadBack: !parsed.GetValue(_noReadBack), Compare: parsed.GetValue(_compare) ? CompareWith.AnyDisk : CompareWith.Auto,
        Grower: new VolumeGrower());

    /// <summary>Opens the disk, unless it is to be made, and plans.</summary>
    public DeployTarget Open(ParseResult parsed, string path, ImageDisk image, DeployChoices choices, bool dryRun, CancellationToken cancel)
    {
        var newSize = NewSize(parsed.GetValue(_size), path);
        // A plan only needs to look.
        var device = newSize is not null ? null
            : dryRun ? DiskFile.OpenForReading(path, parsed.GetValue(_sectorSize) ?? image.Manifest.SectorSize)
            : DiskFile.OpenForWriting(path, parsed.GetValue(_sectorSize), image.Manifest.SectorSize);
        try
        {
            var sectors = device?.SectorSize ?? parsed.GetValue(_sectorSize) ?? image.Manifest.SectorSize;
            var manifest = choices.Identity == DiskIdentity.Randomise ? NewIdentity.Of(image.Manifest) : image.Manifest;
            var contents = device is null ? null : TargetContents.Read(device, cancel);
            var outcome = contents is null
                ? DeployPlanner.Foresee(manifest, image.ManifestHash, newSize!.Value, sectors, choices)
                : DeployPlanner.Plan(manifest, image.ManifestHash, device!.SizeBytes, sectors, choices, contents);
            if (!outcome.IsPlanned)
                throw new FailureException(outcome.Failure);
            var description = outcome.Plan.Describe(PlanText.Disk(path, outcome.Plan.DiskSizeBytes, sectors), contents, !parsed.GetValue(_noReadBack));
            return new DeployTarget(path, device, outcome.Plan, device is null ? description with { Erases = $"Makes the new file {path}." } : description, sectors);
        }
        catch
        {
            device?.Dispose();
            throw;
        }
    }

    private static long? NewSize(string? text, string path)
    {
        if (text is null)
            return null;
        if (!Sizes.TryParse(text, out var bytes))
            throw Verb.UsageError($"\"{text}\" is not a size.", "Write for example --size 64GiB.");
        return DiskFile.Exists(path) ? throw DiskFile.AlreadyThere(path) : bytes;
    }
}
