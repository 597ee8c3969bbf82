using ImageForge.Contracts;
using ImageForge.Imaging.Disks;
using ImageForge.Imaging.Imports.Partclone;
using ImageForge.Imaging.Imports.Streams;

namespace ImageForge.Imaging.Imports;

/// <summary>A disk put together from pieces in a temporary file: tables first, then the content of one partition after the other.</summary>
internal sealed class ComposedDisk : IDisposable
{
    private readonly TemporaryDisk _disk;
    private readonly ImportOptions _options;

    /// <summary>1 PiB.</summary>
    private const long MaxBytes = 1L << 50;

    public ComposedDisk(string name, long sizeBytes, int sectorSize, ImportOptions options)
    {
        if (sizeBytes < 4L * sectorSize || sizeBytes > MaxBytes)
            throw ImportFailures.Damaged(name, $"its disk would have {sizeBytes} bytes");
        _options = options;
        _disk = TemporaryDisk.Create(options.TemporaryFolder, (sizeBytes + sectorSize - 1) / sectorSize * sectorSize, sectorSize);
    }

    public IBlockDevice Writable => _disk.Writable;

    public void Write(IEnumerable<DiskWrite> writes)
    {
        foreach (var write in writes)
            _disk.Writable.Write(write.Offset, write.Bytes);
    }

    /// <summary>Bytes from <paramref name="offset"/> up to <paramref name="end"/>, in whole sectors: what lies behind a boot sector.</summary>
    public void WriteGap(ReadOnlySpan<byte> bytes, long offset, long end)
    {
        var sector = _disk.Writable.SectorSize;
        var length = Math.Min(bytes.Length, Math.Min(end, _disk.Writable.SizeBytes) - offset) / sector * sector;
        if (length > 0)
            _disk.Writable.Write(offset, bytes[..(int)length]);
    }

    /// <summary>The partitions as the tables that were written say; read by the same reader as any disk's.</summary>
    /// <exception cref="FailureException">The tables contradict themselves.</exception>
    public IReadOnlyList<Partition> ReadPartitions(string name) => PartitionTables.Read(_disk.Writable) switch
    {
        PartitionTableReading.Found found => found.Layout.Partitions,
        PartitionTableReading.Unusable unusable => throw ImportFailures.Damaged(name, unusable.Failure.Sentence.TrimEnd('.')),
        var other => throw new InvalidOperationException($"{other} is not a reading"),
    };

    /// <summary>Unpacks the pieces of one image, made by partclone or dd, onto its partition.</summary>
    public void Restore(IReadOnlyList<string> files, Partition partition, CancellationToken cancel)
    {
        var name = Path.GetFileName(files[0]);
        using var split = new SplitFile(files);
        using var plain = Compression.Undo(name, split);
        try
        {
            var (head, whole) = Compression.Peek(plain, PartcloneHeader.Magic.Length + 1);
            if (head.AsSpan().StartsWith(PartcloneHeader.Magic))
                PartcloneReader.Open(name, whole).Restore(_disk.Writable, partition.Offset, partition.Length, (done, total) => _options.Progress?.Invoke(name, done, total), cancel);
            else
                RawCopy.Run(name, head, whole, _disk.Writable, partition, () => _options.Progress?.Invoke(name, split.Position, split.TotalBytes), cancel);
        }
        catch (InvalidDataException e)
        {
            throw ImportFailures.Damaged(name, e.Message.TrimEnd('.'), e);
        }
    }

    /// <summary>Ownership of the temporary file goes to the result.</summary>
    public ImportedDisk Finish(string format, IReadOnlyList<string> notes)
    {
        _disk.Writable.Flush();
        return new ImportedDisk(_disk.Readable, format, notes, _disk);
    }

    public void Dispose() => _disk.Dispose();
}
