using System.CommandLine;
using System.Text.Json;
using ImageForge.Cli.Output;
using ImageForge.Cli.Stores;
using ImageForge.Contracts;
using ImageForge.Imaging.Deploy;
using ImageForge.Imaging.DiskFiles;
using ImageForge.Imaging.LocalStore;

namespace ImageForge.Cli.Disk;

/// <summary>What a deploy did to one disk.</summary>
/// <param name="Filled">Whether the file system of the grown partition fills it; null: nothing was to be grown.</param>
internal sealed record DeployReport(string Image, int Version, string ManifestHash, string Disk, long BytesWritten, long BytesKept, long BytesFetched, bool ReadBack, double Seconds, bool? Filled = null, string? FillNote = null);

/// <summary><c>imageforge disk deploy NAME[:VERSION] TARGET…</c>: the plan, the confirmation, then the first write.</summary>
internal static class DiskDeploy
{
    public static Command Make()
    {
        var image = new Argument<string>("IMAGE") { Description = "NAME, or NAME:VERSION" };
        var targets = new Argument<string[]>("TARGET") { Description = "A disk or disk file; as many, in order, as the image has disks", Arity = ArgumentArity.OneOrMore };
        var store = StoreOption.Make();
        var target = new DeployTargetOptions();
        var choices = new DeployChoiceOptions();
        var yes = new Option<bool>("--yes", "-y") { Description = "Erase without asking" };
        var dryRun = new Option<bool>("--dry-run", "-n") { Description = "Show the plan and stop" };
        var format = OutputOption.Make(OutputFormat.Table, OutputFormat.Json);
        var command = new Command("deploy", "Writes an image onto a disk; erases what is on it") { image, targets, store, yes, dryRun, format };
        target.AddTo(command);
        choices.AddTo(command);
        command.Runs(async (parsed, cancel) =>
        {
            var (name, number) = ImageReference.Parse(parsed.GetValue(image)!);
            var local = StoreOption.Open(parsed.GetValue(store));
            var version = local.Find(name, number);
            var disks = local.ReadImage(version).Disks;
            var paths = parsed.GetValue(targets)!;
            if (paths.Length != disks.Count)
                throw Verb.UsageError($"{version} has {disks.Count} disk(s), and {paths.Length} target(s) were named.", "Name one target for each disk, in order.");
            if (DiskFile.FirstTwice(paths) is { } twice)
                throw Verb.UsageError($"{twice.First} and {twice.Second} are the same disk.", "Name a different target for each disk of the image.");
            using var plans = new DisposableList<DeployTarget>();
            for (var i = 0; i < paths.Length; i++)
                plans.Add(target.Open(parsed, paths[i], disks[i], i == 0 ? choices.Read(parsed) : choices.Read(parsed) with { GrowVolume = null }, parsed.GetValue(dryRun), cancel));
            if (parsed.GetValue(dryRun))
            {
                Print([.. plans.Select(plan => plan.Description)], version, parsed.GetValue(format));
                return ExitCodes.Ok;
            }
            foreach (var plan in plans)
                PlanText.Print(plan.Description, version.ToString(), Console.Error);
            if (plans.Any(plan => !plan.IsNew))
                Confirmation.Require(parsed.GetValue(yes), plans[0].Description.Erases.TrimEnd('.'), string.Join(' ', paths));
            using var reader = local.OpenReader();
            Print(await DeployRun.RunAsync(plans, version, reader, target.Read(parsed), cancel), parsed.GetValue(format));
            return ExitCodes.Ok;
        });
        return command;
    }

    private static void Print(IReadOnlyList<DeployPlan> plans, LocalImageVersion version, OutputFormat format)
    {
        if (format == OutputFormat.Json)
            Console.Out.WriteLine(plans.Count == 1 ? JsonSerializer.Serialize(plans[0], CliJson.Default.DeployPlan) : JsonSerializer.Serialize(plans, CliJson.Default.IReadOnlyListDeployPlan));
        else
            foreach (var plan in plans)
                PlanText.Print(plan, version.ToString(), Console.Out);
    }

    private static void Print(IReadOnlyList<DeployReport> reports, OutputFormat format)
    {
        if (format == OutputFormat.Json)
            Console.Out.WriteLine(reports.Count == 1 ? JsonSerializer.Serialize(reports[0], CliJson.Default.DeployReport) : JsonSerializer.Serialize(reports, CliJson.Default.IReadOnlyListDeployReport));
        else
            foreach (var report in reports)
            {
                Console.Out.WriteLine(FormattableString.Invariant(
                    $"{report.Image}:{report.Version} is on {report.Disk}: {Sizes.Text(report.BytesWritten)} written{(report.ReadBack ? " and read back" : "")}, {Sizes.Text(report.BytesKept)} kept, in {report.Seconds:0.0} s"));
                if (report.Filled is { } filled)
                    Console.Out.WriteLine(Tables.Printable($"{(filled ? "The disk is filled." : "Warning:")} {report.FillNote}".TrimEnd()));
            }
    }
}

/// <summary>Things that end together.</summary>
internal sealed class DisposableList<T> : List<T>, IDisposable where T : IDisposable
{
    public void Dispose() => ForEach(item => item.Dispose());
}
