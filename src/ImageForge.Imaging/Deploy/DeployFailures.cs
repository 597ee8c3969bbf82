using System.Globalization;
using ImageForge.Contracts;
using ImageForge.Imaging.Chunks;
using ImageForge.Imaging.Disks;
using ImageForge.Imaging.Manifests;

namespace ImageForge.Imaging.Deploy;

/// <summary>The failures of a deploy in sentences that name the volume, the place and the cure.</summary>
internal static class DeployFailures
{
    /// <param name="volume">Null outside every volume.</param>
    public static FailureException Disk(DiskException e, VolumeHeader? volume)
    {
        var failure = e.ToFailure();
        if (e.Operation == "flush")
            return new FailureException(failure, e);
        return new FailureException(failure with { Sentence = $"{failure.Sentence.TrimEnd('.')}, {(volume is null ? "in the partition tables" : Place(volume, e.Offset - volume.Partition.Offset))}." }, e);
    }

    public static FailureException Corrupt(VolumeHeader volume, in ManifestChunk chunk) => new(
        "chunkCorrupt", Fault.Image,
        $"Chunk {chunk.Id} for {Place(volume, chunk.VolumeOffset)} was fetched twice and is damaged both times.",
        "Verify the image on the server and capture it again, or deploy another version.");

    public static FailureException Missing(VolumeHeader volume, in ManifestChunk chunk, Exception? inner) => new(
        "chunkMissing", Fault.Image,
        $"Chunk {chunk.Id} for {Place(volume, chunk.VolumeOffset)} is not in the store.",
        "Verify the image on the server and capture it again, or deploy another version.", inner);

    public static FailureException ReadBack(string disk, VolumeHeader? volume, long offset) => new(
        "readBackMismatch", Fault.Disk,
        $"The disk {disk} does not return what was written, {(volume is null ? string.Create(CultureInfo.InvariantCulture, $"at byte {offset}") : Place(volume, offset))}.",
        "The disk is failing or its cable is bad: check it with its maker's tool (SMART) and replace it.");

    private static string Place(VolumeHeader volume, long offset)
    {
        var name = volume.Partition.Name ?? volume.Label;
        return string.Create(CultureInfo.InvariantCulture, $"volume {volume.Partition.Number}{(string.IsNullOrEmpty(name) ? "" : $" ({name})")} at byte {offset}");
    }
}
