using ImageForge.Contracts;
using ImageForge.Imaging.DiskFiles;
using ImageForge.Imaging.Disks;
using ImageForge.Imaging.Imports.Clonezilla;
using ImageForge.Imaging.Imports.Fog;
using ImageForge.Imaging.Imports.Partclone;
using ImageForge.Imaging.Imports.Streams;

namespace ImageForge.Imaging.Imports;

/// <summary>Takes what other programs keep and shows it as a disk, which an ordinary capture then reads.</summary>
public static class DiskImport
{
    /// <param name="path">A disk file (raw, qcow2, VMDK, VHDX, VHD, VDI), possibly compressed; a partclone image; a folder of FOG or Clonezilla.</param>
    /// <exception cref="FailureException"><c>importUnsupported</c>, <c>importDamaged</c>, <c>importDisk</c>, <c>diskNotFound</c>, <c>importProgramMissing</c>.</exception>
    /// <exception cref="DiskException">The temporary file cannot be written.</exception>
    public static ImportedDisk Open(string path, ImportOptions options, CancellationToken cancel)
    {
        if (Directory.Exists(path))
            return OpenFolder(path, options, cancel);
        if (!File.Exists(path))
            throw new FailureException("diskNotFound", Fault.Image, $"There is no file or folder {path}.", "Check the name.");
        var format = DiskFile.FormatOf(path);
        if (format != DiskFileFormat.Raw)
            return new ImportedDisk(DiskFile.OpenForReading(path, options.SectorSize), $"{DiskFileFormats.QemuName(format)} file", []);
        var name = Path.GetFileName(path);
        using var split = new SplitFile(Siblings(path));
        using var plain = Compression.Undo(name, split);
        try
        {
            var (head, whole) = Compression.Peek(plain, PartcloneHeader.Magic.Length + 1);
            if (head.AsSpan().StartsWith(PartcloneHeader.Magic))
                return OpenPartclone(name, whole, options, cancel);
            if (Compression.IsPlain(plain))
                return new ImportedDisk(DiskFile.OpenForReading(path, options.SectorSize), "raw disk", []);
            return OpenCompressed(name, whole, split, options, cancel);
        }
        catch (InvalidDataException e)
        {
            throw ImportFailures.Damaged(name, e.Message.TrimEnd('.'), e);
        }
    }

    /// <summary>The disks a folder of FOG or Clonezilla holds, as <see cref="ImportOptions.Disk"/> names them; one nameless disk for everything else.</summary>
    public static IReadOnlyList<string?> Disks(string path)
    {
        if (!Directory.Exists(path))
            return [null];
        return FogFolder.Is(path) ? [.. FogFolder.Disks(path)] : ClonezillaFolder.Is(path) ? [.. ClonezillaFolder.Disks(path)] : [null];
    }

    private static ImportedDisk OpenFolder(string folder, ImportOptions options, CancellationToken cancel)
    {
        if (FogFolder.Is(folder))
            return FogFolder.Open(folder, options, cancel);
        if (ClonezillaFolder.Is(folder))
            return ClonezillaFolder.Open(folder, options, cancel);
        throw ImportFailures.Unsupported(folder, "it is a folder neither of FOG (d1.mbr, d1p1.img) nor of Clonezilla (disk, parts)", "Name the folder of one image, or a file.");
    }

    /// <summary>One volume without a partition table around it; the copy of a whole disk (partclone.imager) has its table inside.</summary>
    private static ImportedDisk OpenPartclone(string name, Stream stream, ImportOptions options, CancellationToken cancel)
    {
        var reader = PartcloneReader.Open(name, stream);
        var sector = options.SectorSize ?? 512;
        using var disposables = new OnFailure();
        var disk = disposables.Keep(TemporaryDisk.Create(options.TemporaryFolder, Math.Max((reader.Header.VolumeBytes + sector - 1) / sector, 4) * sector, sector));
        reader.Restore(disk.Writable, 0, disk.Writable.SizeBytes, (done, total) => options.Progress?.Invoke(name, done, total), cancel);
        disk.Writable.Flush();
        disposables.Done();
        return new ImportedDisk(disk.Readable, $"partclone image of {reader.Header.FileSystem}", [], disk);
    }

    private static ImportedDisk OpenCompressed(string name, Stream stream, SplitFile split, ImportOptions options, CancellationToken cancel)
    {
        var disk = UnpackedFile.Write(stream, options.TemporaryFolder, options.SectorSize, () => options.Progress?.Invoke(name, split.Position, split.TotalBytes), cancel);
        return new ImportedDisk(disk, "compressed raw disk", []);
    }

    /// <summary>The other pieces of a file that was cut: <c>.000</c> is followed by <c>.001</c>, <c>.aa</c> by <c>.ab</c>.</summary>
    private static List<string> Siblings(string path)
    {
        var files = new List<string> { path };
        var suffix = Path.GetExtension(path);
        if (suffix is not (".000" or ".001" or ".aa" or ".aaa"))
            return files;
        var stem = path[..^suffix.Length];
        files.AddRange(Directory.EnumerateFiles(Path.GetDirectoryName(Path.GetFullPath(path))!, Path.GetFileName(stem) + ".*")
            .Where(file => Path.GetExtension(file).Length == suffix.Length && string.CompareOrdinal(Path.GetExtension(file), suffix) > 0 && Path.GetExtension(file).Skip(1).All(char.IsAsciiLetterOrDigit))
            .Order(StringComparer.Ordinal));
        return files;
    }
}
