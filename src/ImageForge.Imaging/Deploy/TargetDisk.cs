using System.Diagnostics.CodeAnalysis;
using ImageForge.Contracts;

namespace ImageForge.Imaging.Deploy;

/// <summary>Which disk a task means: the chosen one, or the refusal with the list of what is there.</summary>
public sealed record DiskChoice(DiskInventory? Disk, Failure? Refusal)
{
    [MemberNotNullWhen(true, nameof(Disk))]
    [MemberNotNullWhen(false, nameof(Refusal))]
    public bool IsChosen => Disk is not null;
}

/// <summary>The disk-safety rule: the only disk that is neither removable nor the boot medium nor read-only, or the one named by serial or WWN.</summary>
public static class TargetDisk
{
    /// <param name="serialOrWwn">As in the job; null: the only internal disk.</param>
    public static DiskChoice Choose(IReadOnlyList<DiskInventory> disks, string? serialOrWwn) => throw new NotImplementedException();

    /// <summary>The same rule for reading: a write-protected disk may be captured.</summary>
    public static DiskChoice ChooseSource(IReadOnlyList<DiskInventory> disks, string? serialOrWwn) => throw new NotImplementedException();
}
