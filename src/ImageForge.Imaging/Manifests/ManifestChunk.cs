using ImageForge.Imaging.Chunks;

namespace ImageForge.Imaging.Manifests;

/// <summary>Data: used and not all zero. Zero: used, content zero; a deploy writes zeros. Unused: no block is used; neither written nor compared.</summary>
public enum ChunkKind : byte { Unused = 0, Zero = 1, Data = 2 }

/// <summary>One chunk at its place.</summary>
/// <param name="Index">Position in the volume, from 0.</param>
/// <param name="VolumeOffset">Bytes from the volume's start.</param>
/// <param name="Length">Plain bytes.</param>
/// <param name="Id">Set for data chunks.</param>
/// <param name="UsedBits">One bit per block, least significant first; empty when every block is used (or none: <see cref="ChunkKind.Unused"/>).</param>
public readonly record struct ManifestChunk(ChunkKind Kind, int Index, long VolumeOffset, int Length, ChunkId Id, ReadOnlyMemory<byte> UsedBits)
{
    public bool IsPartlyUsed => !UsedBits.IsEmpty;
}
