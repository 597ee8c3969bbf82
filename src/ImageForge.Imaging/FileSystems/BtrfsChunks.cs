namespace ImageForge.Imaging.FileSystems;

/// <summary>A stretch of logical addresses and the one or two places it has on the device.</summary>
internal sealed class BtrfsChunk
{
    public required long Start { get; init; }
    public required long Length { get; init; }
    public required long[] Places { get; init; }

    /// <summary>Bytes of the extents found in it.</summary>
    public long Used { get; set; }

    /// <summary>What its block group item says is used; −1 until that was read.</summary>
    public long Promised { get; set; } = -1;
}

/// <summary>Something on this device that cannot be mapped to it alone. Becomes a note.</summary>
internal sealed class BtrfsSpreadException(string reason) : Exception(reason);

/// <summary>
/// Logical → physical. Chunk item: 0 length, 24 type (0x8 … 0x400 the profile), 44 stripes, from 48 on for each stripe 32 bytes: 0 device, 8 offset.
/// On one device the profile is single (also a striped one of a single stripe) or DUP.
/// </summary>
internal sealed class BtrfsChunks(BtrfsSuperblock super)
{
    private const int Header = 48, StripeSize = 32;
    private const ulong ProfileMask = 0x7F8, Raid0 = 0x8, Dup = 0x20;

    /// <summary>256 TiB in chunks of 1 GiB; larger devices have larger ones.</summary>
    private const int MaxChunks = 1 << 18;

    private readonly List<BtrfsChunk> _chunks = [];
    private long _placed;

    public IReadOnlyList<BtrfsChunk> All => _chunks;

    /// <summary>The chunks of the chunk tree itself, as the superblock repeats them.</summary>
    public static BtrfsChunks Bootstrap(BtrfsSuperblock super)
    {
        var chunks = new BtrfsChunks(super);
        ReadOnlySpan<byte> rest = super.ChunkArray;
        var items = new SortedDictionary<ulong, byte[]>();
        while (rest.Length > 0)
        {
            if (rest.Length < BtrfsKey.Size + Header + StripeSize)
                throw new DamagedVolumeException("its bootstrap chunks are damaged");
            var key = BtrfsKey.Read(rest);
            var size = Header + StripeSize * rest.U16(BtrfsKey.Size + 44);
            if (key.Type != BtrfsKey.ChunkItem || rest.Length < BtrfsKey.Size + size || !items.TryAdd(key.Offset, rest.Slice(BtrfsKey.Size, size).ToArray()))
                throw new DamagedVolumeException("its bootstrap chunks are damaged");
            rest = rest[(BtrfsKey.Size + size)..];
        }
        foreach (var (start, item) in items)
            chunks.Add(start, item);
        return chunks;
    }

    /// <summary>Adds a chunk; they come in the order of their starts.</summary>
    public void Add(ulong start, ReadOnlySpan<byte> item)
    {
        if (item.Length < Header + StripeSize || item.Length != Header + StripeSize * item.U16(44))
            throw new DamagedVolumeException("a chunk item has an impossible size");
        var (length, profile, stripes) = (item.U64(0), item.U64(24) & ProfileMask, item.U16(44));
        var places = new long[stripes];
        for (var i = 0; i < stripes; i++)
        {
            var stripe = item[(Header + StripeSize * i)..];
            if (stripe.U64(0) != super.DeviceId)
                throw new BtrfsSpreadException("It is spread over several devices");
            if (length > (ulong)super.DeviceBytes || stripe.U64(8) > (ulong)super.DeviceBytes - length)
                throw new DamagedVolumeException("a chunk lies outside the device");
            places[i] = (long)stripe.U64(8);
        }
        if (stripes != (profile == Dup ? 2 : 1) || profile is not (0 or Raid0 or Dup))
            throw new BtrfsSpreadException("It uses a RAID profile");
        var end = _chunks.Count == 0 ? 0UL : (ulong)(_chunks[^1].Start + _chunks[^1].Length);
        if (length == 0 || start < end || start > 1UL << 62 || (length | start) % (ulong)super.SectorSize != 0)
            throw new DamagedVolumeException("its chunks overlap or are not aligned");
        _placed += stripes * (long)length;
        // As no two places may overlap, together they are no longer than the device.
        if (_placed > super.DeviceBytes || _chunks.Count >= MaxChunks)
            throw new DamagedVolumeException("its chunks are longer than the device");
        _chunks.Add(new BtrfsChunk { Start = (long)start, Length = (long)length, Places = places });
    }

    /// <summary>Whether this chunk is here with the same places.</summary>
    public bool Has(BtrfsChunk chunk) =>
        Find((ulong)chunk.Start, 1) is { } here && here.Start == chunk.Start && here.Length == chunk.Length && here.Places.AsSpan().SequenceEqual(chunk.Places);

    /// <summary>The chunk the whole range lies in, or null.</summary>
    public BtrfsChunk? Find(ulong start, ulong length)
    {
        var (low, high) = (0, _chunks.Count - 1);
        while (low <= high)
        {
            var middle = (low + high) / 2;
            var chunk = _chunks[middle];
            if (start < (ulong)chunk.Start)
                high = middle - 1;
            else if (start >= (ulong)(chunk.Start + chunk.Length))
                low = middle + 1;
            else
                return length <= (ulong)(chunk.Start + chunk.Length) - start ? chunk : null;
        }
        return null;
    }
}
