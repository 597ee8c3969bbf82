namespace ImageForge.Imaging.FileSystems;

/// <summary>
/// The clusters of a non-resident attribute, in order. On disk a run is a byte (low half: bytes of the length, high half: bytes of the
/// signed distance from the previous run's first cluster) followed by those two numbers; 0 ends the list.
/// </summary>
internal sealed class NtfsRuns(long volumeClusters)
{
    private readonly List<(long Vcn, long Lcn, long Count)> _runs = [];

    public long Clusters { get; private set; }

    public IReadOnlyList<(long Vcn, long Lcn, long Count)> All => _runs;

    /// <summary>Adds the runs of one attribute, or of one piece of it, which must start where the last piece ended.</summary>
    public void Append(NtfsAttribute attribute)
    {
        if (attribute.FirstVcn != (ulong)Clusters)
            throw new DamagedVolumeException("the pieces of a file do not fit together");
        var bytes = attribute.Runs();
        long lcn = 0;
        while (bytes.Length > 0 && bytes[0] != 0)
        {
            int lengthBytes = bytes[0] & 15, offsetBytes = bytes[0] >> 4;
            if (lengthBytes is 0 or > 8 || offsetBytes > 8 || bytes.Length < 1 + lengthBytes + offsetBytes)
                throw new DamagedVolumeException("a run of clusters is garbled");
            if (offsetBytes == 0)
                throw new DamagedVolumeException("a system file has a hole");
            var count = ReadSigned(bytes.Slice(1, lengthBytes));
            var distance = ReadSigned(bytes.Slice(1 + lengthBytes, offsetBytes));
            if (count <= 0 || count > volumeClusters - Clusters || distance > volumeClusters || distance < -volumeClusters)
                throw new DamagedVolumeException("a run of clusters is impossible");
            lcn += distance;
            if (lcn < 0 || lcn > volumeClusters - count)
                throw new DamagedVolumeException("a run of clusters points outside the volume");
            _runs.Add((Clusters, lcn, count));
            Clusters += count;
            bytes = bytes[(1 + lengthBytes + offsetBytes)..];
        }
        if (attribute.LastVcn != (ulong)(Clusters - 1))
            throw new DamagedVolumeException("a list of runs ends at the wrong cluster");
    }

    /// <summary>Reads bytes of the attribute's content.</summary>
    public void Read(VolumeReader volume, int clusterSize, long offset, Span<byte> destination)
    {
        if (offset < 0 || offset > Clusters * clusterSize - destination.Length)
            throw new DamagedVolumeException("something lies behind the end of a system file");
        for (var i = Find(offset / clusterSize); destination.Length > 0; i++)
        {
            var (vcn, lcn, count) = _runs[i];
            var inRun = offset - vcn * clusterSize;
            var length = (int)Math.Min(count * clusterSize - inRun, destination.Length);
            volume.Read(lcn * clusterSize + inRun, destination[..length]);
            destination = destination[length..];
            offset += length;
        }
    }

    private int Find(long vcn)
    {
        int low = 0, high = _runs.Count - 1;
        while (low < high)
        {
            var middle = (low + high + 1) / 2;
            if (_runs[middle].Vcn <= vcn)
                low = middle;
            else
                high = middle - 1;
        }
        return low;
    }

    private static long ReadSigned(ReadOnlySpan<byte> bytes)
    {
        long value = (sbyte)bytes[^1];
        for (var i = bytes.Length - 2; i >= 0; i--)
            value = value << 8 | bytes[i];
        return value;
    }
}
