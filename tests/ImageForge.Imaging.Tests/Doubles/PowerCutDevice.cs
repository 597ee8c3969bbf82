using ImageForge.Imaging.Disks;

namespace ImageForge.Imaging.Tests.Doubles;

/// <summary>
/// A disk with a volatile cache. At the cut a random subset of the sectors written since the last flush has reached the medium,
/// in no order, as a real disk may do; afterwards every access fails.
/// </summary>
internal sealed class PowerCutDevice(IBlockDevice medium, Random random) : IBlockDevice
{
    private readonly Lock _lock = new();
    private readonly Dictionary<long, byte[]> _cache = [];
    private bool _isOff;

    /// <summary>Writes and flushes so far.</summary>
    public int Operations { get; private set; }

    /// <summary>The write or flush at which the power goes; 0: never.</summary>
    public int CutAt { get; set; }

    public string Name => "power-cut";
    public long SizeBytes => medium.SizeBytes;
    public int SectorSize => medium.SectorSize;
    public bool IsReadOnly => false;

    public void Read(long offset, Span<byte> buffer)
    {
        lock (_lock)
        {
            CheckPower(offset);
            medium.Read(offset, buffer);
            for (var i = 0; i < buffer.Length; i += SectorSize)
                if (_cache.TryGetValue(offset + i, out var sector))
                    sector.CopyTo(buffer[i..]);
        }
    }

    public void Write(long offset, ReadOnlySpan<byte> data)
    {
        lock (_lock)
        {
            CheckPower(offset);
            for (var i = 0; i < data.Length; i += SectorSize)
                _cache[offset + i] = data.Slice(i, SectorSize).ToArray();
            Count(offset);
        }
    }

    public void WriteZeros(long offset, long length) => Write(offset, new byte[length]);

    public void Flush()
    {
        lock (_lock)
        {
            CheckPower(0);
            // The cut may fall into the flush: then only a part of it is done.
            Count(0);
            foreach (var (at, sector) in _cache)
                medium.Write(at, sector);
            _cache.Clear();
        }
    }

    public void Dispose() { }

    private void Count(long offset)
    {
        if (++Operations != CutAt)
            return;
        var share = random.NextDouble();
        foreach (var (at, sector) in _cache)
            if (random.NextDouble() < share)
                medium.Write(at, sector);
        _cache.Clear();
        _isOff = true;
        CheckPower(offset);
    }

    private void CheckPower(long offset)
    {
        if (_isOff)
            throw new DiskException(Name, "write", offset, 19, "the power is off");
    }
}
