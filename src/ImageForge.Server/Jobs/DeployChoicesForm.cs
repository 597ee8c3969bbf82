using ImageForge.Contracts;

namespace ImageForge.Server.Jobs;

/// <summary>Whether the choices of a deploy make sense by themselves, whatever the image and the disk.</summary>
internal static class DeployChoicesForm
{
    private const int MaxRules = 16, MaxVolumes = 128, MaxText = 128;

    /// <summary>Null: nothing is wrong.</summary>
    public static OrderOutcome? Problem(CreateJobRequest request)
    {
        if (request.Kind != JobKind.Deploy)
            return request.Deploy is not null ? Invalid("badDeployChoices", "Only a deploy has deploy choices.", "Leave \"deploy\" out.")
                : request.DryRun ? Invalid("badDryRun", "Only a deploy can be planned without running it.", "Leave \"dryRun\" out.")
                : null;
        if (request.Deploy is not { } choices)
            return null;
        return Rules(request.Disk, choices.Rules) ?? Volumes(choices) ?? Growth(choices);
    }

    private static OrderOutcome? Rules(string? disk, IReadOnlyList<DiskRule>? rules)
    {
        if (rules is null)
            return null;
        if (rules.Count is 0 or > MaxRules)
            return Invalid("badDiskRule", $"There are 1 to {MaxRules} disk rules, one for each disk of the image.", "Leave \"rules\" out for the only internal disk.");
        if (disk is not null)
            return Invalid("badDiskRule", "The disk is named twice, by \"disk\" and by a rule.", "Keep the rule: it can name the serial or the WWN too.");
        foreach (var rule in rules)
        {
            if (rule is null)
                return Invalid("badDiskRule", "A disk rule is null.", "Use {} for the only internal disk.");
            foreach (var text in (ReadOnlySpan<string?>)[rule.Serial, rule.Wwn, rule.Bus])
                if (text is not null && (string.IsNullOrWhiteSpace(text) || text.Length > MaxText))
                    return Invalid("badDiskRule", $"Serial, WWN and bus of a disk rule have 1 to {MaxText} characters.", "Leave out what does not matter.");
            if (rule.MinBytes <= 0 || rule.MaxBytes <= 0 || rule.MinBytes > rule.MaxBytes)
                return Invalid("badDiskRule", "No disk has a size between minBytes and maxBytes.", "Both are bytes above 0, minBytes at most maxBytes.");
        }
        return null;
    }

    private static OrderOutcome? Volumes(DeployChoices choices)
    {
        if (choices.Volumes is not { } volumes)
            return null;
        if (volumes.Count is 0 or > MaxVolumes || volumes.Distinct().Count() != volumes.Count || volumes.Any(v => v <= 0))
            return Invalid("badVolumes", $"Volumes are 1 to {MaxVolumes} different partition numbers from 1.", "Leave \"volumes\" out for the whole disk.");
        if (choices.Fill || choices.GrowVolume is not null)
            return Invalid("badVolumes", "Selected volumes keep the disk's partition table, so nothing can be grown.", "Leave out either \"volumes\" or \"fill\".");
        if (choices.Identity == DiskIdentity.Randomise)
            return Invalid("badVolumes", "Selected volumes keep the disk's partition table, so its GUIDs cannot be made anew.", "Leave out either \"volumes\" or \"identity\".");
        if (choices.Rules is { Count: > 1 })
            return Invalid("badVolumes", "Selected volumes are restored to one disk.", "Give one rule.");
        return null;
    }

    private static OrderOutcome? Growth(DeployChoices choices) => choices switch
    {
        { GrowVolume: not null, Fill: false } => Invalid("badGrowVolume", "growVolume says which partition fills the disk, and filling is not asked for.", "Add \"fill\": true."),
        { GrowVolume: < 0 } => Invalid("badGrowVolume", "growVolume is a partition's number.", "Leave it out for the last partition that can grow."),
        _ => null,
    };

    private static OrderOutcome Invalid(string code, string sentence, string cure) => OrderOutcome.Refused(RefusalKind.Invalid, code, sentence, cure);
}
