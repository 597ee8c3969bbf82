using ImageForge.Contracts;
using ImageForge.Imaging.Manifests;

namespace ImageForge.Agent.Tasks;

/// <summary>What a finished task vouches for, counted from the manifest itself.</summary>
internal static class Proofs
{
    /// <param name="bytesReadFromDisk">Used bytes whose present state on the disk was read and compared.</param>
    public static TaskProof Of(Manifest manifest, string hash, long bytesReadFromDisk) => new(
        hash, manifest.Volumes.Count, manifest.Volumes.Sum(v => v.Chunks().LongCount(c => c.Kind != ChunkKind.Unused)), manifest.UsedBytes, bytesReadFromDisk);
}
