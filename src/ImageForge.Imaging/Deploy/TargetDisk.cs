using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using ImageForge.Contracts;

namespace ImageForge.Imaging.Deploy;

/// <summary>Which disk a task means: the chosen one, or the refusal with the list of what is there.</summary>
public sealed record DiskChoice(DiskInventory? Disk, Failure? Refusal)
{
    [MemberNotNullWhen(true, nameof(Disk))]
    [MemberNotNullWhen(false, nameof(Refusal))]
    public bool IsChosen => Disk is not null;
}

/// <summary>
/// The disk-safety rule: the only disk that is neither removable nor the boot medium, or the one named by serial or WWN.
/// Never "the first": a USB gadget that enumerates first must not receive a deploy. A write-protected disk counts as well: it may
/// be the one that was meant, and then the other must not be erased.
/// </summary>
public static class TargetDisk
{
    /// <param name="serialOrWwn">As in the job; null or blank: the only internal disk.</param>
    public static DiskChoice Choose(IReadOnlyList<DiskInventory> disks, string? serialOrWwn) => Choose(disks, serialOrWwn, forWriting: true);

    /// <summary>The same rule for reading: a write-protected disk may be captured.</summary>
    public static DiskChoice ChooseSource(IReadOnlyList<DiskInventory> disks, string? serialOrWwn) => Choose(disks, serialOrWwn, forWriting: false);

    /// <summary>By the job's rule for this disk of the image if it has one, else as <see cref="Choose(IReadOnlyList{DiskInventory}, string?)"/>.</summary>
    /// <param name="image">Which disk of the image, from 0.</param>
    public static DiskChoice Choose(IReadOnlyList<DiskInventory> disks, string? serialOrWwn, DeployChoices? choices, int image = 0) =>
        choices?.Rules is { } rules && image < rules.Count ? ChooseBy(disks, rules[image]) : Choose(disks, serialOrWwn);

    /// <summary>The only disk of which everything holds that the rule says.</summary>
    public static DiskChoice ChooseBy(IReadOnlyList<DiskInventory> disks, DiskRule rule)
    {
        var present = disks.Where(d => d.SizeBytes > 0).Select(d => (Disk: d, WhyNot: DiskRuleFit.WhyNot(d, rule))).ToList();
        var fit = present.Where(d => d.WhyNot is null).Select(d => d.Disk).ToList();
        return fit switch
        {
            [{ ReadOnly: true } locked] => WriteProtected(locked),
            [var only] => new DiskChoice(only, null),
            [] => Refuse("noDisk", present.Count == 0
                    ? "This machine has no disk."
                    : $"No disk fits the rule ({DiskRuleFit.Text(rule)}): {string.Join("; ", present.Select(d => $"{Describe(d.Disk)} {d.WhyNot}"))}.",
                "Correct the rule in the job, or check the cable, the power and the storage driver of the disk that was meant."),
            _ => Refuse("diskAmbiguous", $"{fit.Count} disks fit the rule ({DiskRuleFit.Text(rule)}): {List(fit)}.", "Narrow the rule, or name the disk in it by its serial or WWN."),
        };
    }

    private static DiskChoice Choose(IReadOnlyList<DiskInventory> disks, string? serialOrWwn, bool forWriting)
    {
        // An empty card reader shows up as a disk of no size.
        var present = disks.Where(d => d.SizeBytes > 0).ToList();
        var named = !string.IsNullOrWhiteSpace(serialOrWwn);
        var candidates = present.Where(d => named ? Matches(d, serialOrWwn!) : !d.Removable && !d.BootMedium).ToList();
        var list = List(present);
        if (candidates.Count > 1)
            return named
                ? Refuse("diskAmbiguous", $"{candidates.Count} disks answer to \"{Printable(serialOrWwn)}\": {List(candidates)}.", "Name the disk by its WWN if its serial is not unique.")
                : Refuse("diskAmbiguous", $"This machine has {candidates.Count} disks that could be meant: {list}.", "Name one by its serial or WWN in the job.");
        if (candidates.Count == 0)
            return named
                ? Refuse("diskNotFound", $"No disk has the serial or WWN \"{Printable(serialOrWwn)}\"; this machine has: {list}.", "Correct the disk in the job, or check the cable and power of the disk.")
                : Refuse("noDisk", $"No disk is fit for this task; this machine has: {list}.", "Connect a disk, load its storage driver or set the firmware from RAID to AHCI, or name a removable disk by its serial.");
        var disk = candidates[0];
        return forWriting ? WritableOrNot(disk) : new DiskChoice(disk, null);
    }

    internal static DiskChoice WritableOrNot(DiskInventory disk) => disk.ReadOnly ? WriteProtected(disk) : new DiskChoice(disk, null);

    private static DiskChoice WriteProtected(DiskInventory disk) =>
        Refuse("diskReadOnly", $"The disk {Describe(disk)} is write-protected.", "Remove the write protection (switch, firmware setting) or choose another disk.");

    private static DiskChoice Refuse(string code, string sentence, string cure) => new(null, new Failure(code, Fault.Disk, sentence, cure));

    private static bool Matches(DiskInventory disk, string name) => HasSerial(disk, name) || HasWwn(disk, name);

    internal static bool HasSerial(DiskInventory disk, string serial) => string.Equals(disk.Serial?.Trim(), serial.Trim(), StringComparison.OrdinalIgnoreCase);

    internal static bool HasWwn(DiskInventory disk, string name) =>
        disk.Wwn is { Length: > 0 } wwn && string.Equals(Bare(wwn), Bare(name), StringComparison.OrdinalIgnoreCase);

    /// <summary>The same WWN is written <c>0x5000…</c> by udev, <c>naa.5000…</c> by sysfs and <c>wwn-0x5000…</c> below /dev/disk.</summary>
    private static string Bare(string wwn)
    {
        wwn = wwn.Trim();
        foreach (var prefix in (ReadOnlySpan<string>)["wwn-", "naa.", "eui.", "nvme-eui.", "0x"])
            if (wwn.StartsWith(prefix, StringComparison.OrdinalIgnoreCase))
                wwn = wwn[prefix.Length..];
        return wwn;
    }

    internal static string List(IReadOnlyList<DiskInventory> disks) => disks.Count == 0 ? "none" : string.Join("; ", disks.Select(Describe));

    internal static string Describe(DiskInventory disk)
    {
        var marks = string.Concat(disk.Removable ? ", removable" : "", disk.BootMedium ? ", boot medium" : "", disk.ReadOnly ? ", read-only" : "");
        return string.Create(CultureInfo.InvariantCulture, $"{Printable(disk.Name)} ({Printable(disk.Model) ?? "unknown model"}, serial {Printable(disk.Serial) ?? "none"}, {ByteText.Of(disk.SizeBytes)}{marks})");
    }

    /// <summary>Device text may hold anything; what goes into a sentence is one line of visible characters.</summary>
    internal static string? Printable(string? text) =>
        string.IsNullOrWhiteSpace(text) ? null : string.Concat(text.Trim().Take(64).Select(c => char.IsControl(c) || char.IsSurrogate(c) ? '?' : c));
}
