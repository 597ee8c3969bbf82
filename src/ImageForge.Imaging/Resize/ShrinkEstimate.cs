using ImageForge.Imaging.Deploy;
using ImageForge.Imaging.Manifests;

namespace ImageForge.Imaging.Resize;

/// <summary>How small an image could become, from its manifest alone: nothing is put together or asked.</summary>
internal static class ShrinkEstimate
{
    private const long Step = 1 << 20;

    /// <summary>Bytes of the least disk, about: resizers need some room beside the used blocks.</summary>
    public static long LeastBytes(Manifest image)
    {
        var least = DeployPlanner.NeededBytes(image);
        for (var i = 0; i < image.Volumes.Count; i++)
        {
            var volume = image.Volumes[i];
            if (VolumeShrinker.Obstacle(volume.Header.FileSystem) is not null || Relayout.IsLogical(image, volume.Header.Partition) || Relayout.Obstacle(image, i) is not null)
                continue;
            var needs = volume.UsedBytes + volume.UsedBytes / 20 + 16 * Step;
            least -= Math.Max(0, volume.Header.Partition.Length - needs) / Step * Step;
        }
        return least;
    }
}
