using System.Buffers.Binary;

namespace ImageForge.Lab.Disks;

/// <summary>
/// What QEMU's <c>blklogwrites</c> recorded of a disk: every write and every flush in order, in the format of the kernel's dm-log-writes
/// (Documentation/admin-guide/device-mapper/log-writes.rst). A write is complete, for the guest, when it is in the log; it is on the disk
/// for sure only when a flush follows.
/// <code>
/// sector 0: magic u64, version u64, entries u64, sector size u32; then for each entry one sector: sector u64, sectors u64, flags u64, length u64, and its data
/// </code>
/// </summary>
public sealed class WriteLog
{
    private const ulong Magic = 0x6a736677736872;
    private const ulong Flush = 1, ForceUnitAccess = 2, Discard = 4, Mark = 8;
    private const int SectorSize = 512;

    private readonly string _file;
    private readonly List<Entry> _entries = [];

    public WriteLog(string file)
    {
        _file = file;
        using var log = File.OpenHandle(file);
        var head = new byte[SectorSize];
        RandomAccess.Read(log, head, 0);
        if (BinaryPrimitives.ReadUInt64LittleEndian(head) != Magic || BinaryPrimitives.ReadInt32LittleEndian(head.AsSpan(24)) != SectorSize)
            throw new LabException($"{file} is no log of writes with sectors of {SectorSize} bytes");
        var counted = BinaryPrimitives.ReadInt64LittleEndian(head.AsSpan(16));
        for (var at = (long)SectorSize; RandomAccess.Read(log, head, at) == SectorSize;)
        {
            var entry = new Entry(
                BinaryPrimitives.ReadInt64LittleEndian(head) * SectorSize, BinaryPrimitives.ReadInt64LittleEndian(head.AsSpan(8)) * SectorSize,
                BinaryPrimitives.ReadUInt64LittleEndian(head.AsSpan(16)), at + SectorSize);
            if (entry is { Length: 0, Flags: 0 })
                break;
            if ((entry.Flags & Mark) != 0)
                throw new LabException($"{file} has a mark, which nobody made");
            _entries.Add(entry);
            at = entry.DataAt + ((entry.Flags & Discard) != 0 ? 0 : entry.Length);
        }
        // A writer thread that was killed before its entry reached the file leaves a hole: what comes behind it is lost to us.
        IsWhole = _entries.Count >= counted;
    }

    public int Count => _entries.Count;

    /// <summary>False: a flush may lie behind a hole in the log, so that this log says nothing about what survives.</summary>
    public bool IsWhole { get; }

    public int Flushes => _entries.Count(static e => (e.Flags & Flush) != 0);

    /// <summary>Bytes written since the last flush before <paramref name="cut"/>.</summary>
    public long UnflushedBytes(int cut) => _entries.Take(cut).Skip(LastFlush(cut)).Where(static e => (e.Flags & ForceUnitAccess) == 0).Sum(static e => e.Length);

    /// <summary>
    /// Makes of the disk as it was before what a power cut leaves after <paramref name="cut"/> entries: all up to the last flush, and of the later
    /// writes some, chosen at random, the last of them torn.
    /// </summary>
    /// <param name="survives">Share of the un-flushed writes that reached the disk all the same; 0: none, 1: all.</param>
    public void Apply(string disk, int cut, double survives, Random random)
    {
        using var log = File.OpenHandle(_file);
        using var target = File.OpenHandle(disk, FileMode.Open, FileAccess.Write);
        var durable = LastFlush(cut);
        for (var i = 0; i < cut; i++)
        {
            var entry = _entries[i];
            if ((entry.Flags & Discard) != 0 || entry.Length == 0 || i >= durable && (entry.Flags & ForceUnitAccess) == 0 && random.NextDouble() >= survives)
                continue;
            var length = i == cut - 1 && i >= durable ? random.NextInt64(entry.Length / SectorSize + 1) * SectorSize : entry.Length;
            var buffer = new byte[1 << 20];
            for (long done = 0; done < length;)
            {
                var read = RandomAccess.Read(log, buffer.AsSpan(0, (int)Math.Min(buffer.Length, length - done)), entry.DataAt + done);
                if (read == 0)
                    throw new LabException($"{_file} ends within an entry");
                RandomAccess.Write(target, buffer.AsSpan(0, read), entry.DiskAt + done);
                done += read;
            }
        }
    }

    /// <summary>Index behind the last flush before <paramref name="cut"/>.</summary>
    private int LastFlush(int cut) => _entries.FindLastIndex(cut - 1, static e => (e.Flags & Flush) != 0) + 1;

    private readonly record struct Entry(long DiskAt, long Length, ulong Flags, long DataAt);
}
