using System.Diagnostics.CodeAnalysis;
using ImageForge.Contracts;
using ImageForge.Imaging.Manifests;

namespace ImageForge.Imaging.Deploy;

/// <summary>Which disks a task with several means, or the refusal with the list of what is there.</summary>
public sealed record DiskChoices(IReadOnlyList<DiskInventory>? Disks, Failure? Refusal)
{
    [MemberNotNullWhen(true, nameof(Disks))]
    [MemberNotNullWhen(false, nameof(Refusal))]
    public bool AreChosen => Disks is not null;
}

/// <summary>
/// The disk-safety rule for several disks. Each must be meant by name or rule; without rules the machine must have exactly as many
/// internal disks as the image, and only their order of size can tell them apart: two of one size are refused.
/// </summary>
public static class TargetDisks
{
    /// <summary>The disks to capture, in the order of their names.</summary>
    /// <param name="names">Serials or WWNs.</param>
    public static DiskChoices ChooseSources(IReadOnlyList<DiskInventory> disks, IReadOnlyList<string> names) =>
        Each(names.Count, i => TargetDisk.ChooseSource(disks, names[i]));

    /// <summary>The disks that will be written, in the order of the rules; without rules in any order.</summary>
    /// <param name="count">Disks of the image, two or more.</param>
    /// <param name="serialOrWwn">The job's only disk, which cannot be meant.</param>
    public static DiskChoices Choose(IReadOnlyList<DiskInventory> disks, int count, string? serialOrWwn, DeployChoices? choices)
    {
        if (choices?.Volumes is not null)
            return Refuse("severalDisks", $"The image has {count} disks, and volumes can be selected from an image of one.", "Deploy the whole image.");
        if (choices?.Rules is { } rules)
            return rules.Count == count
                ? Each(count, i => TargetDisk.ChooseBy(disks, rules[i]))
                : Refuse("diskRulesMissing", $"The image has {count} disks and the job has {rules.Count} disk rules.", "Give one rule for each disk of the image, in its order.");
        if (!string.IsNullOrWhiteSpace(serialOrWwn))
            return Refuse("diskRulesMissing", $"The image has {count} disks and the job names one.", "Give one disk rule for each disk of the image, in its order.");
        var present = disks.Where(d => d is { SizeBytes: > 0, Removable: false, BootMedium: false }).ToList();
        if (present.Count != count)
            return Refuse("diskAmbiguous", $"The image has {count} disks and this machine {present.Count} that could be meant: {TargetDisk.List(disks)}.",
                "Give one disk rule for each disk of the image, in its order.");
        return Each(count, i => TargetDisk.WritableOrNot(present[i]));
    }

    /// <summary>The disk for each disk of the image, in its order.</summary>
    public static DiskChoices Assign(IReadOnlyList<DiskInventory> disks, ImageDisks image, string? serialOrWwn, DeployChoices? choices)
    {
        var chosen = Choose(disks, image.Disks.Count, serialOrWwn, choices);
        if (!chosen.AreChosen || choices?.Rules is not null)
            return chosen;
        var sizes = image.Disks.Select(d => d.Manifest.DiskSizeBytes).ToList();
        if (sizes.Distinct().Count() < sizes.Count || chosen.Disks.DistinctBy(d => d.SizeBytes).Count() < sizes.Count)
            return Refuse("diskAmbiguous",
                $"The image has disks of {string.Join(" and ", sizes.Select(ByteText.Of))}, and their sizes do not tell which disk of this machine is meant for which: {TargetDisk.List(chosen.Disks)}.",
                "Give one disk rule for each disk of the image, in its order.");
        var bySize = chosen.Disks.OrderBy(d => d.SizeBytes).ToList();
        return new DiskChoices([.. sizes.Select(size => bySize[sizes.Count(s => s < size)])], null);
    }

    private static DiskChoices Each(int count, Func<int, DiskChoice> choose)
    {
        var chosen = new List<DiskInventory>();
        for (var i = 0; i < count; i++)
        {
            var choice = choose(i);
            if (!choice.IsChosen)
                return new DiskChoices(null, choice.Refusal);
            if (chosen.Exists(d => d.Name == choice.Disk.Name))
                return Refuse("diskAmbiguous", $"Disk {chosen.FindIndex(d => d.Name == choice.Disk.Name) + 1} and disk {i + 1} of the image would both be {TargetDisk.Describe(choice.Disk)}.",
                    "Name a disk of its own for each.");
            chosen.Add(choice.Disk);
        }
        return new DiskChoices(chosen, null);
    }

    private static DiskChoices Refuse(string code, string sentence, string cure) => new(null, new Failure(code, Fault.Disk, sentence, cure));
}
