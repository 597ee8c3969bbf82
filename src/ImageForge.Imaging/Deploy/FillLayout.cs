using ImageForge.Contracts;
using ImageForge.Imaging.Disks;
using ImageForge.Imaging.FileSystems;
using ImageForge.Imaging.Manifests;
using ImageForge.Imaging.Resize;

namespace ImageForge.Imaging.Deploy;

/// <summary>The image laid out on a larger disk, or why it is not.</summary>
/// <param name="Manifest">Volumes, regions and table at their new places.</param>
/// <param name="Places">One for each volume.</param>
internal sealed record FilledLayout(Manifest Manifest, IReadOnlyList<PlacedVolume> Places, IReadOnlyList<string> Notes, Failure? Failure);

/// <summary>
/// Grows one partition up to the end of a larger disk. What lies behind it (Windows' recovery partition) is moved to the end as a whole,
/// by whole MiB, so that every alignment stays.
/// </summary>
internal static class FillLayout
{
    private const long Step = 1 << 20;

    /// <summary>Nobody means these when a disk is to be filled: BIOS boot, EFI system, Microsoft reserved, Windows recovery.</summary>
    private static readonly string[] s_system =
        ["21686148-6449-6e6f-744e-656564454649", "c12a7328-f81f-11d2-ba4b-00a0c93ec93b", "e3c9e316-0b5c-4db8-817d-f92df00215ae", "de94bba4-06d1-4d40-a16a-bfd50179d6ac", "0xef", "0x27"];

    /// <param name="marked">Number of the partition to grow; null: the last one that can.</param>
    public static FilledLayout Plan(Manifest image, long diskSizeBytes, int? marked)
    {
        var volumes = image.Volumes;
        if (image.Scheme == PartitionScheme.None)
            return AsCaptured(image, "The image has no partition table, so there is no partition to grow: its file system keeps its size.");
        var grown = LastIndex(volumes, marked is { } number ? v => v.Header.Partition.Number == number : v => IsGrowable(image, v.Header));
        if (marked is not null && grown < 0)
            return Refuse(image, "growVolumeUnknown", $"The image has no volume {marked} to grow; it has {string.Join(", ", volumes.Select(v => v.Header.Partition.Number))}.", "Name a volume of the image, or leave growVolume out.");
        if (grown < 0)
            return AsCaptured(image, "No volume of the image can be grown: it is laid out as it was captured.");
        var partition = volumes[grown].Header.Partition;
        // Growing a small boot partition instead of the encrypted one behind it is nobody's wish.
        if (marked is null && volumes.Skip(grown + 1).FirstOrDefault(v => !MayMove(v.Header)) is { } behind)
            return AsCaptured(image, $"The disk is not filled: volume {behind.Header.Partition.Number} cannot be grown and stands behind volume {partition.Number}, the last that can. Name one with growVolume to have it grown.");
        if (Relayout.IsLogical(image, partition))
            return Refuse(image, "growVolumeUnsuitable", $"Volume {partition.Number} is a logical partition, which is not grown.", "Name a primary partition, or deploy without filling.");
        if (Relayout.Obstacle(image, grown) is { } obstacle)
            return AsCaptured(image, $"The disk is not filled: {obstacle}.");
        var gain = (Relayout.Limit(image, diskSizeBytes) - Relayout.End(image)) / Step * Step;
        if (gain <= 0)
            return AsCaptured(image, "The disk has no room to fill.");
        if (SuspendedSwap.In(image) is { } suspended)
            return Refuse(image, "fillHibernated",
                $"Volume {suspended} holds the memory of a suspended Linux: it would resume with file systems that are not what it remembers, and destroy the one that was grown.",
                "Start the source machine, shut it down and capture it again, or deploy without filling.");

        var layout = new Relayout(image, new Dictionary<int, long> { [partition.Number] = gain });
        var places = volumes.Select((v, i) => new PlacedVolume(v.Header.Partition, layout.OffsetOf(v.Header.Partition), layout.LengthOf(v.Header.Partition),
            i < grown ? VolumeChange.Created : i == grown ? VolumeChange.Grown : VolumeChange.Moved)).ToList();
        var notes = new List<string>();
        if (image.Scheme == PartitionScheme.Mbr && grown < volumes.Count - 1)
            notes.Add("Partitions behind the grown one are moved: what starts Windows' recovery from an MBR disk may have to be set again (reagentc /enable).");
        return new FilledLayout(image with { Volumes = [.. volumes.Select((v, i) => places[i].Place(v))], Regions = layout.Regions(), Gpt = layout.Gpt() }, places, notes, null);
    }

    private static bool IsGrowable(Manifest image, VolumeHeader header) =>
        CanGrow(header.FileSystem) && !s_system.Contains(header.Partition.Type) && !Relayout.IsLogical(image, header.Partition);

    /// <summary>What may stand behind a partition that is grown without having been named.</summary>
    private static bool MayMove(VolumeHeader header) => s_system.Contains(header.Partition.Type) || header.FileSystem == FileSystemKind.Swap;

    /// <summary>Whether the file system itself can be made larger after its partition was.</summary>
    internal static bool CanGrow(FileSystemKind kind) =>
        kind is FileSystemKind.Ext2 or FileSystemKind.Ext3 or FileSystemKind.Ext4 or FileSystemKind.Ntfs or FileSystemKind.Xfs or FileSystemKind.Btrfs;

    private static int LastIndex(IReadOnlyList<ManifestVolume> volumes, Func<ManifestVolume, bool> fits)
    {
        for (var i = volumes.Count - 1; i >= 0; i--)
            if (fits(volumes[i]))
                return i;
        return -1;
    }

    private static FilledLayout AsCaptured(Manifest image, string note) => new(image, [.. image.Volumes.Select(PlacedVolume.AsCaptured)], [note], null);

    private static FilledLayout Refuse(Manifest image, string code, string sentence, string cure) => AsCaptured(image, "") with { Failure = new Failure(code, Fault.Image, sentence, cure) };
}
