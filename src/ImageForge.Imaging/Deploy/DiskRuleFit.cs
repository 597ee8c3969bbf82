using ImageForge.Contracts;

namespace ImageForge.Imaging.Deploy;

/// <summary>One disk against one rule.</summary>
internal static class DiskRuleFit
{
    /// <summary>Which condition excludes the disk, as the end of a sentence about it; null: it fits.</summary>
    public static string? WhyNot(DiskInventory disk, DiskRule rule)
    {
        var named = !string.IsNullOrWhiteSpace(rule.Serial) || !string.IsNullOrWhiteSpace(rule.Wwn);
        if (!string.IsNullOrWhiteSpace(rule.Serial) && !TargetDisk.HasSerial(disk, rule.Serial))
            return "has another serial";
        if (!string.IsNullOrWhiteSpace(rule.Wwn) && !TargetDisk.HasWwn(disk, rule.Wwn))
            return disk.Wwn is null ? "has no WWN" : $"has the WWN {TargetDisk.Printable(disk.Wwn)}";
        // A stick that happens to have the right size is never meant; whoever wants it says its name.
        if (!named && disk.Removable)
            return "is removable and not named by serial or WWN";
        if (!named && disk.BootMedium)
            return "is the boot medium and not named by serial or WWN";
        if (disk.SizeBytes < rule.MinBytes)
            return $"is smaller than {ByteText.Of(rule.MinBytes.Value)}";
        if (disk.SizeBytes > rule.MaxBytes)
            return $"is larger than {ByteText.Of(rule.MaxBytes.Value)}";
        if (rule.Rotational is { } rotational && disk.Rotational != rotational)
            return rotational ? "does not rotate" : "rotates";
        if (!string.IsNullOrWhiteSpace(rule.Bus) && !string.Equals(disk.Bus, rule.Bus.Trim(), StringComparison.OrdinalIgnoreCase))
            return $"is on {TargetDisk.Printable(disk.Bus) ?? "an unknown bus"}";
        return null;
    }

    /// <summary>The rule's conditions for people.</summary>
    public static string Text(DiskRule rule)
    {
        var conditions = new List<string>();
        if (!string.IsNullOrWhiteSpace(rule.Serial))
            conditions.Add($"serial {TargetDisk.Printable(rule.Serial)}");
        if (!string.IsNullOrWhiteSpace(rule.Wwn))
            conditions.Add($"WWN {TargetDisk.Printable(rule.Wwn)}");
        if (rule.MinBytes is { } min)
            conditions.Add($"at least {ByteText.Of(min)}");
        if (rule.MaxBytes is { } max)
            conditions.Add($"at most {ByteText.Of(max)}");
        if (rule.Rotational is { } rotational)
            conditions.Add(rotational ? "rotating" : "not rotating");
        if (!string.IsNullOrWhiteSpace(rule.Bus))
            conditions.Add($"on {TargetDisk.Printable(rule.Bus)}");
        return conditions.Count == 0 ? "the only internal disk" : string.Join(", ", conditions);
    }
}
