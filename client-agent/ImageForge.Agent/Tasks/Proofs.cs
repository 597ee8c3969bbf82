using ImageForge.Contracts;
using ImageForge.Imaging.Manifests;

namespace ImageForge.Agent.Tasks;

/// <summary>What a finished task vouches for, counted from the manifest itself.</summary>
internal static class Proofs
{
    /// <param name="bytesReadFromDisk">Used bytes whose present state on the disk was read and compared.</param>
    public static TaskProof Of(Manifest manifest, string hash, long bytesReadFromDisk) => Of([manifest], hash, bytesReadFromDisk);

    /// <summary>The same for an image of several disks: one sum over all of them.</summary>
    /// <param name="hash">Of the whole file.</param>
    public static TaskProof Of(IReadOnlyList<Manifest> manifests, string hash, long bytesReadFromDisk) => new(
        hash, manifests.Sum(m => m.Volumes.Count), manifests.Sum(m => m.Volumes.Sum(v => v.Chunks().LongCount(c => c.Kind != ChunkKind.Unused))),
        manifests.Sum(m => m.UsedBytes), bytesReadFromDisk);
}
