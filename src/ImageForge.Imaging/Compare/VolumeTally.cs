using ImageForge.Imaging.Manifests;

namespace ImageForge.Imaging.Compare;

/// <summary>Counts what differs in one volume. Chunks may come in any order, from several threads.</summary>
internal sealed class VolumeTally(ManifestVolume volume)
{
    private const int MaxRanges = 1000;

    private readonly Lock _lock = new();
    private readonly SortedList<long, long> _ranges = [];
    private long _compared, _different, _bytes, _dropped;

    public ManifestVolume Volume { get; } = volume;

    /// <param name="there">What is on the disk, unused blocks zeroed; as long as <paramref name="here"/>.</param>
    /// <param name="here">The image's; both are empty where the chunk is the same.</param>
    public void Add(in ManifestChunk chunk, bool same, ReadOnlySpan<byte> there, ReadOnlySpan<byte> here, int sector)
    {
        lock (_lock)
        {
            _compared++;
            if (same)
                return;
            _different++;
            for (var at = 0; at < here.Length;)
            {
                var length = Math.Min(sector, here.Length - at);
                if (there.Slice(at, length).SequenceEqual(here.Slice(at, length)))
                {
                    at += length;
                    continue;
                }
                var start = at;
                for (; at < here.Length && !there.Slice(at, Math.Min(sector, here.Length - at)).SequenceEqual(here.Slice(at, Math.Min(sector, here.Length - at))); at += Math.Min(sector, here.Length - at))
                {
                }
                AddRange(chunk.VolumeOffset + start, at - start);
            }
        }
    }

    public VolumeDifference ToDifference()
    {
        var header = Volume.Header;
        var merged = new List<ByteRange>();
        foreach (var (offset, length) in _ranges)
        {
            if (merged.Count > 0 && merged[^1] is var last && last.Offset + last.Length == offset)
                merged[^1] = last with { Length = last.Length + length };
            else
                merged.Add(new ByteRange(offset, length));
        }
        return new VolumeDifference(header.Partition.Number, header.Partition.Name ?? header.Label ?? "", header.FileSystem.ToString().ToLowerInvariant(),
            Volume.UsedBytes, _compared, _different, _bytes, merged, merged.Count + _dropped);
    }

    private void AddRange(long offset, int length)
    {
        _bytes += length;
        _ranges.Add(offset, length);
        if (_ranges.Count <= MaxRanges)
            return;
        // The first ones are told; the others are counted.
        _ranges.RemoveAt(_ranges.Count - 1);
        _dropped++;
    }
}
