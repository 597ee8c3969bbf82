using System.Buffers.Binary;
using ImageForge.Contracts;
using ImageForge.Imaging.Disks;
using ImageForge.Imaging.FileSystems;
using ImageForge.Imaging.Manifests;

namespace ImageForge.Imaging.Deploy;

/// <summary>
/// Takes the target's tables and boot sectors away before anything else is written and puts the image's in place at the end.
/// Each flush is a border that a power cut cannot reorder writes across; README.md says what is on the disk between them.
/// </summary>
internal sealed class TargetTables(IBlockDevice target, WritePlan plan, long hostTaskId)
{
    /// <summary>No boot code or boot record that firmware or a boot sector looks for outside a volume lies further in.</summary>
    private const long GapBytes = 1 << 20;

    private readonly int _sector = target.SectorSize;

    /// <summary>
    /// Where the two sectors begin that are written last of all, the second of them being the record's until then: the disk itself,
    /// or each volume of a deploy of selected volumes, which leaves the disk's own alone.
    /// </summary>
    private readonly long[] _bases = plan.Mode == DeployMode.SelectedVolumes
        ? [.. plan.Manifest.Volumes.Select(v => v.Header.Partition).Where(p => p.Length >= 2 * target.SectorSize).Select(p => p.Offset)]
        : [0];

    /// <summary>Afterwards no firmware finds anything to boot, and the resume record is durable.</summary>
    public void Invalidate()
    {
        if (plan.Mode == DeployMode.WholeDisk)
            InvalidateDisk();
        foreach (var volume in plan.Manifest.Volumes)
            ZeroExceptRecords(volume.Header.Partition.Offset, volume.Header.Partition.Offset + plan.ClearedBytes(volume.Header));
        foreach (var zeros in plan.Zeros)
            if (zeros.End > 2 * _sector)
                target.WriteZeros(Math.Max(zeros.Offset, 2 * _sector), zeros.End - Math.Max(zeros.Offset, 2 * _sector));
        if (!plan.Resuming || plan.Mode == DeployMode.SelectedVolumes)
        {
            var record = new byte[_sector];
            new ResumeRecord(plan.ManifestHash, hostTaskId, plan.DiskSizeBytes, _sector, plan.Layout).WriteTo(record);
            foreach (var at in _bases)
                Write(at + _sector, record);
        }
        target.Flush();
    }

    private void InvalidateDisk()
    {
        var lastSector = target.SizeBytes / _sector * _sector - _sector;
        target.WriteZeros(0, _sector);
        target.WriteZeros(lastSector, _sector);
        if (!plan.Resuming)
            target.WriteZeros(_sector, _sector);
        ClearGap(lastSector);
        target.Flush();
    }

    /// <summary>A file system without a partition table begins at sector 0, a selected volume holds its own record: it stays where it is.</summary>
    private void ZeroExceptRecords(long start, long end)
    {
        foreach (var record in _bases.Select(b => b + _sector).Where(r => r < end && r + _sector > start).Order())
        {
            if (record > start)
                target.WriteZeros(start, record - start);
            start = record + _sector;
        }
        if (end > start)
            target.WriteZeros(start, end - start);
    }

    /// <summary>
    /// An El Torito record or a loader of the disk's past would otherwise live on until the image's gap is written. Before a new
    /// deploy nothing on the disk counts, also where a volume will be; a resumed one keeps what is in the volumes.
    /// </summary>
    private void ClearGap(long lastSector)
    {
        var end = Math.Min(GapBytes, lastSector);
        if (plan.Resuming)
            end = plan.Manifest.Volumes.Select(v => v.Header.Partition.Offset).Append(end).Min();
        if (end > 2 * _sector)
            target.WriteZeros(2 * _sector, end - 2 * _sector);
    }

    /// <summary>Heads of the volumes, gap, backup and primary table; then sector 0; and last sector 1, which ends the deploy by replacing the record.</summary>
    /// <param name="whenComplete">Runs when every volume is complete and nothing leads to them yet.</param>
    public void Finish(DeployState state, bool readBack, Action whenComplete)
    {
        var firstSectors = Array.ConvertAll(_bases, _ => new byte[2][] { new byte[_sector], new byte[_sector] });
        List<DiskWrite> heads = [], tables = [];
        for (var v = 0; v < plan.Manifest.Volumes.Count; v++)
            if (state.Heads[v] is { } head)
                foreach (var write in HeadWrites(plan.Manifest.Volumes[v].Header, plan.Places[v], head))
                    TakeOutFirstSectors(write, firstSectors, heads);
        foreach (var write in plan.Tables)
            TakeOutFirstSectors(write, firstSectors, tables);

        if (readBack)
            foreach (var zeros in plan.Zeros)
                CompareZeros(zeros);
        Commit(heads, readBack);
        whenComplete();
        Commit(tables, readBack);
        Commit([.. _bases.Select((at, i) => new DiskWrite(at, firstSectors[i][0]))], readBack);
        Commit([.. _bases.Select((at, i) => new DiskWrite(at + _sector, firstSectors[i][1]))], readBack);
    }

    /// <summary>The head as captured, except what a moved volume says about its own place.</summary>
    private List<DiskWrite> HeadWrites(VolumeHeader volume, PlacedVolume place, byte[] head)
    {
        if (!place.IsMoved)
            return [new DiskWrite(place.Offset, head)];
        head = (byte[])head.Clone();
        HiddenSectors.Move(head, volume.FileSystem, place.Image.Offset, place.Offset);
        var writes = new List<DiskWrite> { new(place.Offset, head) };
        if (volume.FileSystem == FileSystemKind.Ntfs && HiddenSectors.NtfsCopyAt(head) is { } at && at % _sector == 0 && at <= volume.Partition.Length - _sector)
        {
            using var copy = AlignedBuffer.Rent(_sector);
            target.Read(place.Offset + at, copy.Span);
            if (HiddenSectors.NtfsCopyAt(copy.Span) == at)
            {
                HiddenSectors.MoveOne(copy.Span, BinaryPrimitives.ReadUInt16LittleEndian(head.AsSpan(11)), place.Image.Offset, place.Offset);
                writes.Add(new DiskWrite(place.Offset + at, copy.Span.ToArray()));
            }
        }
        return writes;
    }

    /// <summary>Nothing of the next step reaches the disk before all of this one has.</summary>
    private void Commit(List<DiskWrite> writes, bool readBack)
    {
        foreach (var write in writes)
            Write(write.Offset, write.Bytes);
        target.Flush();
        if (readBack)
            writes.ForEach(Compare);
    }

    private void TakeOutFirstSectors(DiskWrite write, byte[][][] firstSectors, List<DiskWrite> rest)
    {
        // Only what begins in the first two sectors of a base reaches into them: nothing else overlaps a base's start.
        var of = Array.FindIndex(_bases, at => write.Offset >= at && write.Offset < at + 2 * _sector);
        var from = 0;
        for (var lba = of < 0 ? 2 : (write.Offset - _bases[of]) / _sector; lba < 2 && from < write.Bytes.Length; lba++, from += _sector)
            write.Bytes.AsSpan(from, _sector).CopyTo(firstSectors[of][lba]);
        if (from < write.Bytes.Length)
            rest.Add(from == 0 ? write : new DiskWrite(write.Offset + from, write.Bytes[from..]));
    }

    private void Write(long offset, byte[] bytes)
    {
        using var buffer = AlignedBuffer.Rent(bytes.Length);
        bytes.CopyTo(buffer.Span);
        target.Write(offset, buffer.Span);
    }

    private void CompareZeros(ManifestRegion zeros)
    {
        using var buffer = AlignedBuffer.Rent((int)RawRegion.MaxGap);
        for (var at = Math.Max(zeros.Offset, 2 * _sector); at < zeros.End; at += buffer.Length)
        {
            var piece = buffer.Span[..(int)Math.Min(buffer.Length, zeros.End - at)];
            target.Read(at, piece);
            if (piece.ContainsAnyExcept((byte)0))
                throw DeployFailures.ReadBack(target.Name, null, at);
        }
    }

    private void Compare(DiskWrite write)
    {
        using var buffer = AlignedBuffer.Rent(write.Bytes.Length);
        target.Read(write.Offset, buffer.Span);
        if (!buffer.Span.SequenceEqual(write.Bytes))
            throw DeployFailures.ReadBack(target.Name, null, write.Offset);
    }
}
