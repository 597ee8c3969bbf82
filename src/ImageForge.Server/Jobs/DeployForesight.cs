using ImageForge.Contracts;
using ImageForge.Imaging.Deploy;
using ImageForge.Imaging.Manifests;
using ImageForge.Server.Data;
using ImageForge.Server.Hosts;
using ImageForge.Server.Images;
using ImageForge.Server.ImageStore;

namespace ImageForge.Server.Jobs;

/// <summary>A deploy as it would go, for each of its hosts.</summary>
/// <param name="CanRun">No host refuses it.</param>
internal sealed record JobForecast(string Image, int Version, bool CanRun, IReadOnlyList<HostForecast> Hosts);

/// <summary>Either a plan or why there is none.</summary>
internal sealed record HostForecast(string HostName, MacAddress Mac, DeployPlan? Plan, Failure? Refusal);

/// <summary>Either a forecast or a refusal of the request itself.</summary>
internal sealed record ForecastOutcome(JobForecast? Forecast, Refusal? Refusal);

/// <summary>
/// Plans a deploy without running it: the disk rules, sizes and modes are judged against each host's last inventory, no machine boots.
/// What is on the disks is not known here; a job with <c>dryRun</c> has the machine look.
/// </summary>
internal sealed class DeployForesight(Database database, HostStore hosts, ImageVersions versions, ManifestFiles manifests)
{
    private static readonly Failure s_noInventory = new("noInventory", Fault.Server, "This machine has never told what disks it has.", "Order an inventory for it, or a deploy with \"dryRun\": true.");

    /// <param name="request">Its form is checked.</param>
    public async Task<ForecastOutcome> ForeseeAsync(CreateJobRequest request, IReadOnlyList<Host> chosen, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        if (await ImageCatalog.FindSealedAsync(connection, null, request.Image!, request.Version) is not { } version)
            return new ForecastOutcome(null, JobDesk.NoSuchImage(request));
        var (image, failure) = await ReadAsync(version, cancellationToken);
        var forecasts = new List<HostForecast>();
        foreach (var host in chosen)
        {
            var (plan, refusal) = failure is not null ? (null, failure) : await ForeseeAsync(request, image!, version, host, cancellationToken);
            forecasts.Add(new HostForecast(host.Name, host.Macs[0], plan, refusal));
        }
        return new ForecastOutcome(new JobForecast(version.ImageName, version.Number, forecasts.TrueForAll(f => f.Refusal is null), forecasts), null);
    }

    private async Task<(DeployPlan?, Failure?)> ForeseeAsync(CreateJobRequest request, ImageDisks image, SealedVersion version, Host host, CancellationToken cancellationToken)
    {
        if (await hosts.FindInventoryAsync(host.Id, cancellationToken) is not { } inventory)
            return (null, s_noInventory);
        var (disks, refusal) = Choose(request, image, inventory.Disks);
        if (disks is null)
            return (null, refusal);
        var plans = new List<DeployPlan>();
        for (var i = 0; i < disks.Count; i++)
        {
            // The mark of a plan is the version; a resume is not foreseen.
            var outcome = DeployPlanner.Foresee(image.Disks[i].Manifest, version.ManifestHash, disks[i].SizeBytes, disks[i].LogicalSectorSize,
                i == 0 ? request.Deploy : request.Deploy is { } choices ? choices with { GrowVolume = null } : null);
            if (outcome.Failure is { Code: "diskTooSmall" } tooSmall && disks.Count == 1)
                return (null, await WithSmallerVersionAsync(tooSmall, version, disks[i].SizeBytes, cancellationToken));
            if (!outcome.IsPlanned)
                return (null, disks.Count == 1 ? outcome.Failure : outcome.Failure with { Sentence = $"{disks[i].Name}: {outcome.Failure.Sentence}" });
            plans.Add(outcome.Plan.Describe(disks[i], readBack: request.ReadBack ?? true));
        }
        var plan = plans.Count == 1 ? plans[0] : plans[0] with { MoreDisks = [.. plans.Skip(1)] };
        return (plan with { Notes = [.. plan.Notes ?? [], "Made from the machine's last inventory: what is on the disk is known when it has booted (\"dryRun\": true)."] }, null);
    }

    private static (IReadOnlyList<DiskInventory>?, Failure?) Choose(CreateJobRequest request, ImageDisks image, IReadOnlyList<DiskInventory> disks)
    {
        if (image.Disks.Count == 1)
        {
            var one = TargetDisk.Choose(disks, request.Disk, request.Deploy);
            return (one.IsChosen ? [one.Disk] : null, one.Refusal);
        }
        var several = TargetDisks.Assign(disks, image, request.Disk, request.Deploy);
        return (several.Disks, several.Refusal);
    }

    /// <summary>Names the version that was shrunk for such a disk, or how to make one.</summary>
    private async Task<Failure> WithSmallerVersionAsync(Failure tooSmall, SealedVersion version, long diskBytes, CancellationToken cancellationToken)
    {
        var smaller = (await versions.ListAsync(version.ImageName, cancellationToken) ?? []).Where(v => v.DerivedFromId == version.VersionId && v.DiskBytes <= diskBytes).MaxBy(v => v.DiskBytes);
        return tooSmall with
        {
            Cure = smaller is not null
                ? $"Deploy version {smaller.Number}, which was made from version {version.Number} for disks of {smaller.DiskBytes} bytes."
                : tooSmall.Cure.Replace("{name}", Uri.EscapeDataString(version.ImageName), StringComparison.Ordinal)
                    .Replace("{number}", version.Number.ToString(System.Globalization.CultureInfo.InvariantCulture), StringComparison.Ordinal),
        };
    }

    private async Task<(ImageDisks?, Failure?)> ReadAsync(SealedVersion version, CancellationToken cancellationToken)
    {
        if (await manifests.ReadAsync(version.ManifestHash, cancellationToken) is not { } file)
            return (null, new Failure("manifestMissing", Fault.Image, $"The manifest of {version.ImageName} version {version.Number} is not in the store.", "Capture the image again, or deploy another version."));
        return ImageDisks.TryParse(file, out var image, out var failure) ? (image, null) : (null, failure);
    }
}
