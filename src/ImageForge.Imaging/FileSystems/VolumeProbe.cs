using ImageForge.Imaging.Disks;

namespace ImageForge.Imaging.FileSystems;

/// <summary>Finds out what a volume holds and which of its blocks are used. Never trusts what it reads.</summary>
public static class VolumeProbe
{
    /// <summary>Bytes per bit where nothing can be skipped.</summary>
    private const int RawBlockSize = 64 << 10;

    private static readonly IFileSystemReader[] s_readers =
    [
        new FatReader(),
        new ExtReader(),
        new NtfsReader(),
        new XfsReader(),
        new BtrfsReader(),
        new F2fsReader(),
        new ExFatReader(),
        new SwapReader(),
        new LvmReader(),
    ];

    /// <summary>As <see cref="Identify(IBlockDevice, long, long, CancellationToken)"/>; a partition that must not be looked into is taken whole.</summary>
    public static VolumeContent Identify(IBlockDevice disk, Partition partition, CancellationToken cancel) =>
        partition.Opaque is { } reason
            ? AllUsed(FileSystemKind.Unknown, partition.Length, null, null, reason)
            : Identify(disk, partition.Offset, partition.Length, cancel);

    /// <param name="offset">First byte of the volume on the disk, a multiple of the sector size.</param>
    /// <param name="length">Bytes of the volume, a multiple of the sector size.</param>
    /// <returns>Anything not understood or inconsistent is <see cref="FileSystemKind.Unknown"/> with every block used and a note that says why.</returns>
    /// <exception cref="DiskException">The disk refused a read.</exception>
    public static VolumeContent Identify(IBlockDevice disk, long offset, long length, CancellationToken cancel)
    {
        using var volume = new VolumeReader(disk, offset, length, cancel);
        // Whatever older marks are left: all of it is kept.
        if (EncryptedVolumes.Find(volume) is { } encrypted)
            return encrypted;
        var candidates = Array.FindAll(s_readers, reader => reader.IsPresent(volume));
        var foreign = ForeignSignatures.Find(volume);
        var second = EncryptedVolumes.FindSecondHeader(volume);
        if (candidates.Length == 0 && foreign is null && second is not null)
            return second;
        foreign ??= second is null ? null : "The second header of a LUKS2 volume";
        if (candidates.Length == 0)
            return Unknown(length, foreign is null ? null : $"{foreign}: taken with every block.");
        // A leftover of an older format: skipping what it calls free would lose the newer content.
        if (candidates.Length > 1)
            return Unknown(length, $"Marks of {candidates[0].Name} and {candidates[1].Name} were found: taken with every block.");
        if (foreign is not null)
            return Unknown(length, $"Marks of {candidates[0].Name} and of something else ({foreign}) were found: taken with every block.");
        try
        {
            return candidates[0].Read(volume);
        }
        catch (DamagedVolumeException damage)
        {
            return Unknown(length, $"Looks like {candidates[0].Name}, but {damage.Message}: taken with every block.");
        }
    }

    internal static VolumeContent AllUsed(FileSystemKind kind, long length, string? uuid, string? label, string? note) =>
        new(kind, RawBlockSize, BlockMap.AllUsed((length + RawBlockSize - 1) / RawBlockSize), uuid, label, note);

    private static VolumeContent Unknown(long length, string? note) => AllUsed(FileSystemKind.Unknown, length, null, null, note);
}
