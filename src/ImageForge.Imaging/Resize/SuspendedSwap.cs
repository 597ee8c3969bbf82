using ImageForge.Imaging.FileSystems;
using ImageForge.Imaging.Manifests;

namespace ImageForge.Imaging.Resize;

/// <summary>A system that resumes writes what it had in memory, file system structures of every volume it had mounted among it. None of them may have been resized.</summary>
internal static class SuspendedSwap
{
    /// <summary>
    /// Number of a swap partition that a suspended system keeps its memory in; null: none. The manifest shows it by its blocks: of swap space
    /// the first page is kept, of a suspended system everything (<see cref="SwapReader"/>).
    /// </summary>
    public static int? In(Manifest image) =>
        image.Volumes.FirstOrDefault(static v => v.Header.FileSystem == FileSystemKind.Swap && v.UsedBytes >= v.Header.Partition.Length)?.Header.Partition.Number;
}
