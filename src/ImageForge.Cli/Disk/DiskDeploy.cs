using System.CommandLine;
using System.Text.Json;
using ImageForge.Cli.Output;
using ImageForge.Cli.Stores;
using ImageForge.Contracts;
using ImageForge.Imaging.Deploy;
using ImageForge.Imaging.DiskFiles;
using ImageForge.Imaging.Disks;
using ImageForge.Imaging.LocalStore;
using ImageForge.Imaging.Manifests;

namespace ImageForge.Cli.Disk;

/// <summary>What a deploy did.</summary>
internal sealed record DeployReport(string Image, int Version, string ManifestHash, string Disk, long BytesWritten, long BytesKept, long BytesFetched, bool ReadBack, double Seconds);

/// <summary><c>imageforge disk deploy NAME[:VERSION] TARGET</c>: the plan, the confirmation, then the first write.</summary>
internal static class DiskDeploy
{
    public static Command Make()
    {
        var image = new Argument<string>("IMAGE") { Description = "NAME, or NAME:VERSION" };
        var target = DiskCommands.DiskArgument("TARGET");
        var store = StoreOption.Make();
        var sectorSize = DiskCommands.SectorSizeOption();
        var size = new Option<string?>("--size") { Description = "Make TARGET as a new file of this size; its format follows from its name (.qcow2, .vmdk, .vhdx, else raw)", HelpName = "SIZE" };
        var yes = new Option<bool>("--yes", "-y") { Description = "Erase without asking" };
        var dryRun = new Option<bool>("--dry-run", "-n") { Description = "Show the plan and stop" };
        var noReadBack = new Option<bool>("--no-read-back") { Description = "Do not read back what was written" };
        var compare = new Option<bool>("--compare") { Description = "Keep what is already right on the disk, whatever was on it before" };
        var format = OutputOption.Make(OutputFormat.Table, OutputFormat.Json);
        var command = new Command("deploy", "Writes an image onto a disk; erases what is on it") { image, target, store, sectorSize, size, yes, dryRun, noReadBack, compare, format };
        command.Runs(async (parsed, cancel) =>
        {
            var (name, number) = ImageReference.Parse(parsed.GetValue(image)!);
            var local = StoreOption.Open(parsed.GetValue(store));
            var version = local.Find(name, number);
            var manifest = local.ReadManifest(version);
            var path = parsed.GetValue(target)!;
            var newSize = NewSize(parsed.GetValue(size), path);
            var bare = parsed.GetValue(dryRun);
            // A plan only needs to look, and a file that is to be made is not made before there is a plan for it.
            using var disk = newSize is not null ? null
                : bare ? DiskFile.OpenForReading(path, parsed.GetValue(sectorSize) ?? manifest.SectorSize)
                : DiskFile.OpenForWriting(path, parsed.GetValue(sectorSize), manifest.SectorSize);
            var sectors = disk?.SectorSize ?? parsed.GetValue(sectorSize) ?? manifest.SectorSize;
            var plan = Plan(manifest, version, disk?.SizeBytes ?? newSize!.Value, sectors, disk is null ? null : ResumeRecord.ReadFrom(disk));
            var described = plan.Describe(PlanText.Disk(path, plan.DiskSizeBytes, sectors));
            if (bare)
            {
                Print(described, version, parsed.GetValue(format));
                return ExitCodes.Ok;
            }
            PlanText.Print(described, version.ToString(), Console.Error);
            if (disk is not null)
                Confirmation.Require(parsed.GetValue(yes), $"Everything on {path} will be erased", path);
            using var made = disk is null ? DiskFile.Create(path, plan.DiskSizeBytes, sectors) : null;
            var options = new DeployOptions(ReadBack: !parsed.GetValue(noReadBack), Compare: parsed.GetValue(compare) ? CompareWith.AnyDisk : CompareWith.ResumedDisk);
            Print(await RunAsync(disk ?? made!, local, version, plan, options, cancel), parsed.GetValue(format));
            return ExitCodes.Ok;
        });
        return command;
    }

    private static long? NewSize(string? text, string path)
    {
        if (text is null)
            return null;
        if (!Sizes.TryParse(text, out var bytes))
            throw Verb.UsageError($"\"{text}\" is not a size.", "Write for example --size 64GiB.");
        return DiskFile.Exists(path) ? throw DiskFile.AlreadyThere(path) : bytes;
    }

    private static WritePlan Plan(Manifest manifest, LocalImageVersion version, long diskBytes, int sectorSize, ResumeRecord? found)
    {
        var outcome = DeployPlanner.Plan(manifest, version.ManifestHash, diskBytes, sectorSize, found);
        return outcome.IsPlanned ? outcome.Plan : throw new FailureException(outcome.Failure);
    }

    private static async Task<DeployReport> RunAsync(IBlockDevice device, LocalStore local, LocalImageVersion version, WritePlan plan, DeployOptions options, CancellationToken cancel)
    {
        var started = TimeProvider.System.GetTimestamp();
        using var reader = local.OpenReader();
        var engine = new DeployEngine(device, reader, plan, options, TimeProvider.System);
        var work = engine.RunAsync(cancel);
        await ProgressLine.WatchAsync(work, () => new Done(Phase(engine.Progress.Phase), engine.Progress.BytesDone, engine.Progress.BytesTotal));
        return new DeployReport(version.Image, version.Number, version.ManifestHash, device.Name,
            engine.Progress.BytesWritten, engine.Progress.BytesKept, engine.Progress.BytesFetched, options.ReadBack, TimeProvider.System.GetElapsedTime(started).TotalSeconds);
    }

    private static string Phase(DeployPhase phase) => phase switch
    {
        DeployPhase.Preparing => "preparing",
        DeployPhase.Transferring => "writing",
        DeployPhase.Verifying => "reading back",
        _ => "finishing",
    };

    private static void Print(DeployPlan plan, LocalImageVersion version, OutputFormat format)
    {
        if (format == OutputFormat.Json)
            Console.Out.WriteLine(JsonSerializer.Serialize(plan, CliJson.Default.DeployPlan));
        else
            PlanText.Print(plan, version.ToString(), Console.Out);
    }

    private static void Print(DeployReport report, OutputFormat format)
    {
        if (format == OutputFormat.Json)
            Console.Out.WriteLine(JsonSerializer.Serialize(report, CliJson.Default.DeployReport));
        else
            Console.Out.WriteLine(FormattableString.Invariant(
                $"{report.Image}:{report.Version} is on {report.Disk}: {Sizes.Text(report.BytesWritten)} written{(report.ReadBack ? " and read back" : "")}, {Sizes.Text(report.BytesKept)} kept, in {report.Seconds:0.0} s"));
    }
}
