using ImageForge.Imaging.Disks;
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

    /// <summary>Afterwards no firmware finds anything to boot, and the resume record is durable.</summary>
    public void Invalidate()
    {
        var lastSector = target.SizeBytes / _sector * _sector - _sector;
        target.WriteZeros(0, _sector);
        target.WriteZeros(lastSector, _sector);
        if (!plan.Resuming)
            target.WriteZeros(_sector, _sector);
        ClearGap(lastSector);
        target.Flush();
        foreach (var volume in plan.Manifest.Volumes)
        {
            var (start, end) = (volume.Header.Partition.Offset, volume.Header.Partition.Offset + plan.HeadBytes(volume.Header));
            // A file system without a partition table begins at sector 0: the record stays where it is.
            if (start < _sector)
                target.WriteZeros(start, Math.Min(end, _sector) - start);
            if (end > 2 * _sector)
                target.WriteZeros(Math.Max(start, 2 * _sector), end - Math.Max(start, 2 * _sector));
        }
        foreach (var zeros in plan.Zeros)
            if (zeros.End > 2 * _sector)
                target.WriteZeros(Math.Max(zeros.Offset, 2 * _sector), zeros.End - Math.Max(zeros.Offset, 2 * _sector));
        if (!plan.Resuming)
        {
            var record = new byte[_sector];
            new ResumeRecord(plan.ManifestHash, hostTaskId, plan.DiskSizeBytes, _sector).WriteTo(record);
            Write(_sector, record);
        }
        target.Flush();
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
    public void Finish(DeployState state, bool readBack)
    {
        var firstSectors = new byte[2][] { new byte[_sector], new byte[_sector] };
        List<DiskWrite> heads = [], tables = [];
        for (var v = 0; v < plan.Manifest.Volumes.Count; v++)
            if (state.Heads[v] is { } head)
                TakeOutFirstSectors(new DiskWrite(plan.Manifest.Volumes[v].Header.Partition.Offset, head), firstSectors, heads);
        foreach (var write in plan.Tables)
            TakeOutFirstSectors(write, firstSectors, tables);

        if (readBack)
            foreach (var zeros in plan.Zeros)
                CompareZeros(zeros);
        Commit(heads, readBack);
        Commit(tables, readBack);
        Commit([new DiskWrite(0, firstSectors[0])], readBack);
        Commit([new DiskWrite(_sector, firstSectors[1])], readBack);
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

    private void TakeOutFirstSectors(DiskWrite write, byte[][] firstSectors, List<DiskWrite> rest)
    {
        var from = 0;
        for (var lba = write.Offset / _sector; lba < 2 && from < write.Bytes.Length; lba++, from += _sector)
            write.Bytes.AsSpan(from, _sector).CopyTo(firstSectors[lba]);
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
