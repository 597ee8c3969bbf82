using ImageForge.Imaging.Disks;

namespace ImageForge.Imaging.FileSystems;

/// <summary>Finds out what a volume holds and which of its blocks are used. Never trusts what it reads.</summary>
public static class VolumeProbe
{
    /// <param name="offset">First byte of the volume on the disk, a multiple of the sector size.</param>
    /// <param name="length">Bytes of the volume, a multiple of the sector size.</param>
    /// <returns>Anything not understood or inconsistent is <see cref="FileSystemKind.Unknown"/> with every block used and a note that says why.</returns>
    /// <exception cref="DiskException">The disk refused a read.</exception>
    public static VolumeContent Identify(IBlockDevice disk, long offset, long length, CancellationToken cancel) =>
        throw new NotImplementedException($"{disk.Name}{offset}{length}{cancel}");
}
