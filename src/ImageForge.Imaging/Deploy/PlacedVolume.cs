using ImageForge.Contracts;
using ImageForge.Imaging.Disks;
using ImageForge.Imaging.Manifests;

namespace ImageForge.Imaging.Deploy;

/// <summary>Where a volume of the image goes on the target. Its chunks keep their offsets inside the volume.</summary>
/// <param name="Image">The partition as captured.</param>
/// <param name="Offset">First byte on the target.</param>
/// <param name="Length">Bytes of the partition on the target; never less than the image's.</param>
internal sealed record PlacedVolume(Partition Image, long Offset, long Length, VolumeChange Change)
{
    public bool IsMoved => Offset != Image.Offset;

    public long Grows => Length - Image.Length;

    public static PlacedVolume AsCaptured(ManifestVolume volume) =>
        new(volume.Header.Partition, volume.Header.Partition.Offset, volume.Header.Partition.Length, VolumeChange.Created);

    /// <summary>The volume with its chunks at its place on the target; its length stays that of the content.</summary>
    public ManifestVolume Place(ManifestVolume volume) => IsMoved
        ? new ManifestVolume(volume.Header with { Partition = Image with { Offset = Offset } }, volume.Runs, volume.Maps, volume.Ids, volume.Damaged)
        : volume;
}
