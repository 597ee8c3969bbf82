using ImageForge.Imaging.Disks;
using ImageForge.Imaging.FileSystems;

namespace ImageForge.Imaging.Resize;

/// <summary>How growing a file system ended.</summary>
/// <param name="Grown">False: it is whole and as large as it was.</param>
/// <param name="Note">Why not, or what people should know; null if there is nothing to say.</param>
public sealed record GrowthOutcome(bool Grown, string? Note);

/// <summary>Makes a file system fill its partition.</summary>
public interface IVolumeGrower
{
    /// <summary>The volume is complete on the target, and nothing leads to it yet: whatever interrupts this is mended by the resumed deploy.</summary>
    /// <param name="offset">First byte of the partition on the target.</param>
    /// <param name="length">Bytes of the partition.</param>
    /// <exception cref="Contracts.FailureException"><c>growFailed</c>: the file system may be damaged.</exception>
    GrowthOutcome Grow(IBlockDevice target, long offset, long length, FileSystemKind kind, CancellationToken cancel);
}
