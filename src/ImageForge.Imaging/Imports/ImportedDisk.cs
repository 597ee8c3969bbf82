using ImageForge.Imaging.Disks;

namespace ImageForge.Imaging.Imports;

/// <summary>What another program kept, as a disk that a capture can read.</summary>
public sealed class ImportedDisk : IDisposable
{
    private readonly IDisposable? _behind;

    internal ImportedDisk(IBlockDevice disk, string format, IReadOnlyList<string> notes, IDisposable? behind = null) =>
        (Disk, Format, Notes, _behind) = (disk, format, notes, behind);

    /// <summary>Read-only.</summary>
    public IBlockDevice Disk { get; }

    /// <summary>For people: "FOG image", "qcow2 file" …</summary>
    public string Format { get; }

    /// <summary>What the image does not hold, or holds otherwise than the disk did.</summary>
    public IReadOnlyList<string> Notes { get; }

    public void Dispose()
    {
        Disk.Dispose();
        _behind?.Dispose();
    }
}

/// <param name="TemporaryFolder">Gets a sparse file as large as the content while the import runs.</param>
/// <param name="Disk">Of a folder with several disks: which one, as the folder calls it (<c>1</c>, <c>sda</c>); null: the only one.</param>
/// <param name="SmallestLayout">FOG's resizable images: the shrunken partition table in place of the original one.</param>
/// <param name="Progress">Told what is being unpacked, the bytes done and in all; called often.</param>
public sealed record ImportOptions(string TemporaryFolder, string? Disk = null, bool SmallestLayout = false, int? SectorSize = null, Action<string, long, long>? Progress = null);
