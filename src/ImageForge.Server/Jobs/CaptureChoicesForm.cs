using ImageForge.Contracts;

namespace ImageForge.Server.Jobs;

/// <summary>Whether the choices of a capture make sense by themselves, whatever the machine.</summary>
internal static class CaptureChoicesForm
{
    private const int MaxDisks = 32, MaxText = 128;

    /// <summary>Null: nothing is wrong.</summary>
    public static OrderOutcome? Problem(CreateJobRequest request)
    {
        if (request.Capture?.Disks is not { } disks)
            return null;
        if (request.Disk is not null)
            return Invalid("The disk is named twice, by \"disk\" and by \"disks\".", "Keep \"disks\".");
        if (disks.Count is 0 or > MaxDisks)
            return Invalid($"An image has 1 to {MaxDisks} disks.", "Leave \"disks\" out for the only internal disk.");
        if (disks.Any(d => string.IsNullOrWhiteSpace(d) || d.Length > MaxText))
            return Invalid($"A disk is named by its serial or WWN, 1 to {MaxText} characters.", "GET /api/v1/hosts tells the serials and WWNs of a machine.");
        return disks.Select(d => d.Trim()).Distinct(StringComparer.OrdinalIgnoreCase).Count() == disks.Count ? null : Invalid("A disk is named twice.", "Name each disk once.");
    }

    private static OrderOutcome Invalid(string sentence, string cure) => OrderOutcome.Refused(RefusalKind.Invalid, "badCaptureDisks", sentence, cure);
}
