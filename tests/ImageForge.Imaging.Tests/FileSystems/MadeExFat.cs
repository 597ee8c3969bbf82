using System.Buffers.Binary;
using ImageForge.Imaging.Disks;
using ImageForge.Imaging.FileSystems;

namespace ImageForge.Imaging.Tests.FileSystems;

/// <summary>Edits that no tool here makes, on the bytes of a real exFAT: a bitmap in pieces, a second FAT with its bitmap (TexFAT), damage.</summary>
internal sealed class MadeExFat
{
    private readonly byte[] _bytes;
    private ExFatBootSector _boot;
    private readonly int _bitmapEntry;

    public MadeExFat(byte[] bytes)
    {
        _bytes = bytes;
        _boot = Parse();
        _bitmapEntry = Enumerable.Range(0, _boot.ClusterSize / 32).Select(i => Root + 32 * i).First(at => bytes[at] == 0x81);
    }

    private int Root => At(_boot.RootCluster);

    private uint FirstBitmapCluster => _bytes.U32(_bitmapEntry + 20);



    /// <summary>Sets the volume's flags, which the checksum leaves out.</summary>
    public void SetFlags(int flags) => _bytes[106] = (byte)flags;

    /// <summary>Moves every cluster of the bitmap but the first to free clusters, not in order.</summary>
    /// <returns>Offsets of the clusters it lies in now.</returns>
    public HashSet<long> ScatterBitmap()
    {
        var old = Chain(FirstBitmapCluster);
        var content = old.SelectMany(c => _bytes.AsSpan(At(c), _boot.ClusterSize).ToArray()).ToArray();
        List<uint> places = [old[0], .. FreeClusters(content).Where((_, i) => i % 7 == 3).Take(old.Count - 1).Reverse()];
        foreach (var place in places)
            content[(place - 2) / 8] |= (byte)(1 << (int)((place - 2) % 8));
        for (var i = 0; i < places.Count; i++)
        {
            content.AsSpan(i * _boot.ClusterSize, _boot.ClusterSize).CopyTo(_bytes.AsSpan(At(places[i])));
            SetFat(0, places[i], i + 1 < places.Count ? places[i + 1] : 0xFFFF_FFFF);
        }
        return [.. places.Select(place => (long)At(place))];
    }

    /// <summary>A second FAT in the gap before the heap and a second bitmap in free clusters; each bitmap keeps one cluster that the other calls free.</summary>
    public (long OnlyFirst, long OnlySecond) AddSecondFatAndBitmap()
    {
        var gap = (_boot.HeapOffset - _boot.FatOffset) / 2 / _boot.SectorSize * _boot.SectorSize;
        Assert.True(gap >= _boot.FatBytes, "no room for a second FAT");
        var content = Chain(FirstBitmapCluster).SelectMany(c => _bytes.AsSpan(At(c), _boot.ClusterSize).ToArray()).ToArray();
        var free = FreeClusters(content).ToList();
        var places = free.Take(content.Length / _boot.ClusterSize).ToList();
        foreach (var place in places)
            content[(place - 2) / 8] |= (byte)(1 << (int)((place - 2) % 8));
        var (first, second) = (free[places.Count + 8], free[places.Count + 24]);
        WriteBitmap(Chain(FirstBitmapCluster), Marking(content, first));
        // FATs follow each other: the first becomes as long as half the gap.
        BinaryPrimitives.WriteUInt32LittleEndian(_bytes.AsSpan(84), (uint)(gap / _boot.SectorSize));
        _bytes[110] = 2;
        for (var i = 0; i < places.Count; i++)
            SetFat(0, places[i], i + 1 < places.Count ? places[i + 1] : 0xFFFF_FFFF);
        _bytes.AsSpan((int)_boot.FatOffset, (int)_boot.FatBytes).CopyTo(_bytes.AsSpan((int)(_boot.FatOffset + gap)));
        WriteBitmap(places, Marking(content, second));
        var entry = Enumerable.Range(0, _boot.ClusterSize / 32).Select(i => Root + 32 * i).First(at => _bytes[at] == 0);
        _bytes.AsSpan(_bitmapEntry, 32).CopyTo(_bytes.AsSpan(entry));
        _bytes[entry + 1] = 1;
        BinaryPrimitives.WriteUInt32LittleEndian(_bytes.AsSpan(entry + 20), places[0]);
        WriteSum();
        _boot = Parse();
        return (At(first), At(second));
    }

    public void Damage(string what)
    {
        switch (what)
        {
            case "checksum":
                _bytes[200] ^= 1;
                break;
            case "root is free":
                Free(_boot.RootCluster);
                break;
            case "bitmap is free":
                Free(Chain(FirstBitmapCluster)[^1]);
                break;
            case "bitmap goes in circles":
                // Long enough never to be read to its end: caught by the circle alone.
                BinaryPrimitives.WriteUInt64LittleEndian(_bytes.AsSpan(_bitmapEntry + 24), 1UL << 60);
                SetFat(0, Chain(FirstBitmapCluster)[1], FirstBitmapCluster);
                break;
            case "root goes in circles":
                _bytes.AsSpan(Root, _boot.ClusterSize).Fill(0x85);
                SetFat(0, _boot.RootCluster, _boot.RootCluster);
                break;
            default:
                throw new ArgumentException(what);
        }
    }

    /// <summary>Makes both boot regions' checksums right again.</summary>
    public void WriteSum()
    {
        var sum = ExFatBootSector.Sum(_bytes.AsSpan(0, 11 * _boot.SectorSize));
        for (var at = 0; at < _boot.SectorSize; at += 4)
            BinaryPrimitives.WriteUInt32LittleEndian(_bytes.AsSpan(11 * _boot.SectorSize + at), sum);
    }

    private ExFatBootSector Parse()
    {
        using var reader = new VolumeReader(MemoryDisk.Of(_bytes), 0, _bytes.Length, CancellationToken.None);
        return ExFatBootSector.Parse(reader);
    }

    private int At(uint cluster) => (int)(_boot.HeapOffset + (cluster - 2L) * _boot.ClusterSize);

    private List<uint> Chain(uint cluster)
    {
        var chain = new List<uint>();
        for (; cluster != 0xFFFF_FFFF; cluster = _bytes.U32((int)_boot.FatOffset + 4 * (int)cluster))
            chain.Add(cluster);
        return chain;
    }

    private IEnumerable<uint> FreeClusters(byte[] bitmap) =>
        Enumerable.Range(0, (int)_boot.Clusters).Where(i => (bitmap[i / 8] >> (i % 8) & 1) == 0).Select(i => (uint)i + 2);

    private void WriteBitmap(List<uint> clusters, byte[] content)
    {
        for (var i = 0; i < clusters.Count; i++)
            content.AsSpan(i * _boot.ClusterSize, _boot.ClusterSize).CopyTo(_bytes.AsSpan(At(clusters[i])));
    }

    private static byte[] Marking(byte[] bitmap, uint cluster)
    {
        var copy = bitmap.ToArray();
        copy[(cluster - 2) / 8] |= (byte)(1 << (int)((cluster - 2) % 8));
        return copy;
    }

    private void Free(uint cluster)
    {
        var bitmap = Chain(FirstBitmapCluster);
        var (index, bit) = ((int)(cluster - 2) / 8, (int)(cluster - 2) % 8);
        _bytes[At(bitmap[index / _boot.ClusterSize]) + index % _boot.ClusterSize] &= (byte)~(1 << bit);
    }

    private void SetFat(int copy, uint cluster, uint value) =>
        BinaryPrimitives.WriteUInt32LittleEndian(_bytes.AsSpan((int)(_boot.FatOffset + copy * _boot.FatBytes) + 4 * (int)cluster), value);
}
