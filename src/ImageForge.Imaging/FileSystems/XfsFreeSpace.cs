namespace ImageForge.Imaging.FileSystems;

/// <summary>
/// The free blocks of one allocation group: its AGF names the root of a B+tree sorted by block ("AG Free Space Management").
/// AGF, the group's second sector: 0 "XAGF", 4 version 1, 8 group, 12 blocks, 16 root, 28 levels, 52 free blocks, 56 longest run, 64 UUID, 216 checksum.
/// Tree block: 0 "ABTB" or, with checksums, "AB3B", 4 level (0 = leaf), 6 records; with checksums 16 own address in 512-byte sectors, 32 UUID,
/// 48 group, 52 checksum; from 16 or 56 on in a leaf pairs of first block and count, above it keys of that shape and then block numbers.
/// </summary>
internal sealed class XfsFreeSpace(VolumeReader volume, XfsSuperblock super, uint group)
{
    /// <summary>Eight levels of at least 16 branches hold more records than a group has blocks.</summary>
    private const int MaxLevels = 9;

    private readonly uint _blocks = super.BlocksOf(group);
    private readonly int _header = super.Checksums ? 56 : 16;
    private readonly List<byte[]> _buffers = [];
    private long _end;
    private long _free;
    private long _visited;
    private uint _longest;

    /// <summary>Calls <paramref name="used"/> with first block and count of every stretch that is not free, in order.</summary>
    /// <exception cref="DamagedVolumeException">The tree or the AGF contradicts itself.</exception>
    public void WalkUsed(Action<long, long> used)
    {
        var agf = volume.Read(super.ByteOf(group, 0) + super.SectorSize, super.SectorSize);
        if (!agf.AsSpan().StartsWith("XAGF"u8) || agf.Be32(4) != 1 || agf.Be32(8) != group || agf.Be32(12) != _blocks)
            throw new DamagedVolumeException($"the header of allocation group {group} is damaged");
        if (super.Checksums && (!XfsChecksum.IsRight(agf, 216) || !agf.AsSpan(64, 16).SequenceEqual(super.MetaUuid)))
            throw new DamagedVolumeException($"the header of allocation group {group} has a wrong checksum");
        var levels = agf.Be32(28);
        if (levels is 0 or > MaxLevels)
            throw new DamagedVolumeException($"the free space of allocation group {group} has {levels} levels");
        Walk(agf.Be32(16), (int)levels - 1, isRoot: true, used);
        if (_end < _blocks)
            used(_end, _blocks - _end);
        // What the file system would hand out by another number than it counts is not to be skipped.
        if (_free != agf.Be32(52) || _longest != agf.Be32(56))
            throw new DamagedVolumeException($"the free space of allocation group {group} does not add up");
    }

    /// <summary>Levels fall towards the leaves and blocks rise over all of them, so that a loop or a shared branch is found at its second visit.</summary>
    private void Walk(uint block, int level, bool isRoot, Action<long, long> used)
    {
        if (block >= _blocks || ++_visited > _blocks)
            throw new DamagedVolumeException($"the free space of allocation group {group} points outside it");
        while (_buffers.Count <= level)
            _buffers.Add(new byte[super.BlockSize]);
        var bytes = _buffers[level];
        volume.Read(super.ByteOf(group, block), bytes);
        var records = Check(bytes, block, level);
        if (records == 0 && !(isRoot && level == 0))
            throw new DamagedVolumeException($"the free space of allocation group {group} has an empty branch");
        if (level == 0)
        {
            for (var i = 0; i < records; i++)
                Take(bytes.Be32(_header + 8 * i), bytes.Be32(_header + 8 * i + 4), used);
            return;
        }
        var pointers = _header + (super.BlockSize - _header) / 12 * 8;
        for (var i = 0; i < records; i++)
        {
            if (bytes.Be32(_header + 8 * i) < _end)
                throw new DamagedVolumeException($"the free space of allocation group {group} is not in order");
            Walk(bytes.Be32(pointers + 4 * i), level - 1, isRoot: false, used);
        }
    }

    /// <returns>The number of records.</returns>
    private int Check(byte[] bytes, uint block, int level)
    {
        var records = bytes.Be16(6);
        if (!bytes.AsSpan().StartsWith(super.Checksums ? "AB3B"u8 : "ABTB"u8) || bytes.Be16(4) != level
            || records > (super.BlockSize - _header) / (level == 0 ? 8 : 12))
            throw new DamagedVolumeException($"the free space of allocation group {group} is damaged");
        if (super.Checksums && (!XfsChecksum.IsRight(bytes, 52) || bytes.Be64(16) != (ulong)super.ByteOf(group, block) / 512
            || bytes.Be32(48) != group || !bytes.AsSpan(32, 16).SequenceEqual(super.MetaUuid)))
            throw new DamagedVolumeException($"the free space of allocation group {group} has a wrong checksum");
        return records;
    }

    private void Take(uint first, uint count, Action<long, long> used)
    {
        // Block 0 holds the group's headers.
        if (count == 0 || first == 0 || first < _end || first > _blocks - (long)count)
            throw new DamagedVolumeException($"the free space of allocation group {group} is not in order");
        used(_end, first - _end);
        _end = first + (long)count;
        _free += count;
        _longest = Math.Max(_longest, count);
    }
}
