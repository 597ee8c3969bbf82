namespace ImageForge.Multicast.Blocks;

/// <summary>Memory for blocks, used again and bounded: what does not fit is not given. Any thread.</summary>
/// <param name="capacity">Bytes handed out at the same time at most; as much again may wait to be used again.</param>
public sealed class BlockBuffers(long capacity)
{
    /// <summary>Sizes are rounded up to this, so that blocks of nearly the same size share buffers.</summary>
    private const int Step = 128 << 10;

    private readonly Lock _lock = new();
    private readonly List<byte[]> _free = [];
    private long _out;
    private long _kept;

    public long Capacity => capacity;

    /// <summary>Bytes handed out.</summary>
    public long Used
    {
        get
        {
            lock (_lock)
                return _out;
        }
    }

    /// <summary>A buffer of at least so many bytes with anything in it; null: the bound is reached.</summary>
    public byte[]? TryRent(int bytes)
    {
        var size = (int)Math.Min(((long)bytes + Step - 1) / Step * Step, Array.MaxLength);
        lock (_lock)
        {
            var found = _free.FindIndex(free => free.Length == size);
            if (_out + size > capacity)
                return null;
            _out += size;
            if (found >= 0)
            {
                var buffer = _free[found];
                _free.RemoveAt(found);
                _kept -= size;
                return buffer;
            }
        }
        return GC.AllocateUninitializedArray<byte>(size);
    }

    public void Return(byte[] buffer)
    {
        lock (_lock)
        {
            _out -= buffer.Length;
            _free.Add(buffer);
            _kept += buffer.Length;
            // The oldest go first: sizes that no longer occur must not crowd out those that do.
            while (_kept + _out > capacity && _free.Count > 0)
            {
                _kept -= _free[0].Length;
                _free.RemoveAt(0);
            }
        }
    }
}
