using ImageForge.Contracts;
using ImageForge.Imaging.Disks;
using ImageForge.Imaging.FileSystems;

namespace ImageForge.Imaging.Deploy;

/// <summary>What is on the target before a deploy, as far as it can be read: for the plan people see, and for a deploy of selected volumes.</summary>
/// <param name="Layout">Null: its table cannot be used, <paramref name="Unusable"/> says why.</param>
/// <param name="Volumes">One for each partition that is not empty of everything; <see cref="FoundVolume.Erased"/> is true in all of them.</param>
/// <param name="Record">The mark of an unfinished deploy of the whole disk.</param>
/// <param name="VolumeRecords">The marks of unfinished deploys of single volumes, by the offset of their partition.</param>
public sealed record TargetContents(
    DiskLayout? Layout, Failure? Unusable, IReadOnlyList<FoundVolume> Volumes, ResumeRecord? Record, IReadOnlyDictionary<long, ResumeRecord> VolumeRecords)
{
    /// <summary>A file system whose maps take longer is named without its used bytes: the plan must not wait for a slow disk's account.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);

    /// <summary>Reads only; a sector that cannot be read makes that partition unknown, or the table unusable: a deploy of the whole disk writes it anew.</summary>
    /// <exception cref="DiskException">The disk does not answer at all.</exception>
    public static TargetContents Read(IBlockDevice disk, CancellationToken cancel)
    {
        var record = ReadRecord(disk);
        var reading = ReadTable(disk);
        if (reading is not PartitionTableReading.Found { Layout: var layout })
            return new TargetContents(null, (reading as PartitionTableReading.Unusable)?.Failure, [], record, new Dictionary<long, ResumeRecord>());
        var volumes = new List<FoundVolume>();
        var records = new Dictionary<long, ResumeRecord>();
        foreach (var partition in layout.Partitions)
        {
            cancel.ThrowIfCancellationRequested();
            if (partition.Number > 0 && ReadRecord(disk, partition) is { } unfinished)
                records[partition.Offset] = unfinished;
            var content = Identify(disk, partition, cancel);
            // A disk without a table and without a file system holds nothing that has a name.
            if (layout.Scheme == PartitionScheme.None && content is not { Kind: not FileSystemKind.Unknown })
                continue;
            var kind = content?.Kind ?? FileSystemKind.Unknown;
            volumes.Add(new FoundVolume(partition.Number, partition.Name, kind.ToString().ToLowerInvariant(), content?.Label, partition.Offset, partition.Length,
                kind == FileSystemKind.Unknown ? null : UsedBytes(content!, partition.Length), Erased: true));
        }
        return new TargetContents(layout, null, volumes, record, records);
    }

    /// <summary>The mark of an unfinished deploy of the disk; null also where the sector cannot be read.</summary>
    internal static ResumeRecord? ReadRecord(IBlockDevice disk) => ReadRecord(() => ResumeRecord.ReadFrom(disk));

    /// <summary>The mark of an unfinished deploy in a volume; null also where the sector cannot be read.</summary>
    internal static ResumeRecord? ReadRecord(IBlockDevice disk, Partition partition) => ReadRecord(() => ResumeRecord.ReadFrom(disk, partition));

    private static PartitionTableReading ReadTable(IBlockDevice disk)
    {
        try
        {
            return PartitionTables.Read(disk);
        }
        catch (DiskException e) when (e.Trouble == DiskTrouble.MediumError)
        {
            return new PartitionTableReading.Unusable(e.ToFailure());
        }
    }

    private static ResumeRecord? ReadRecord(Func<ResumeRecord?> read)
    {
        try
        {
            return read();
        }
        catch (DiskException e) when (e.Trouble == DiskTrouble.MediumError)
        {
            return null;
        }
    }

    private static VolumeContent? Identify(IBlockDevice disk, Partition partition, CancellationToken cancel)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        patience.CancelAfter(s_patience);
        try
        {
            return VolumeProbe.Identify(disk, partition, patience.Token);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return null;
        }
        catch (DiskException e) when (e.Trouble == DiskTrouble.MediumError)
        {
            return null;
        }
    }

    private static long UsedBytes(VolumeContent content, long length) => Math.Min(length, content.Used.CountUsed() * content.BlockSize);
}
