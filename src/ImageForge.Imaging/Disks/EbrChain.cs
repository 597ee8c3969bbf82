using System.Globalization;

namespace ImageForge.Imaging.Disks;

/// <summary>
/// The logical partitions of one extended partition. Its first sector is an extended boot record: laid out like a master boot record,
/// with room for boot code, and at most two entries in use. One is a logical partition, its LBA counted from this very record; the
/// other, of an extended type, leads to the next record, its LBA counted from the start of the <em>extended partition</em>. Linux
/// (<c>block/partitions/msdos.c</c>) numbers what it finds along the chain from 5, whatever its order on the disk.
/// </summary>
/// <param name="Logicals">In chain order; entries with absolute LBAs.</param>
/// <param name="Records">LBA of every record in chain order, also of those that hold no partition.</param>
internal sealed record EbrChain(IReadOnlyList<LogicalPartition> Logicals, IReadOnlyList<long> Records)
{
    /// <summary>Linux shows partitions up to number 255.</summary>
    public const int MaxRecords = 251;

    /// <returns>The chain; or what is wrong with it; or what makes it something else than a chain, both as the end of a sentence.</returns>
    public static (EbrChain? Chain, string? Wrong, string? Odd) Read(IBlockDevice disk, MbrEntry extended)
    {
        var logicals = new List<LogicalPartition>();
        var records = new List<long>();
        var seen = new HashSet<long>();
        using var buffer = AlignedBuffer.Rent(disk.SectorSize);
        for (long? next = extended.FirstLba; next is { } lba;)
        {
            if (!seen.Add(lba))
                return (null, Text($"the chain of logical partitions leads back to LBA {lba}"), null);
            if (seen.Count > MaxRecords)
                return (null, Text($"the chain of logical partitions has more than {MaxRecords} links"), null);
            disk.Read(lba * disk.SectorSize, buffer.Span);
            if (!MbrEntry.HasSignature(buffer.Span))
            {
                if (records.Count > 0)
                    return (null, Text($"the chain of logical partitions leads to LBA {lba}, where no boot record is"), null);
                return buffer.Span.ContainsAnyExcept((byte)0) ? (null, null, "does not begin with a boot record") : (new EbrChain([], [lba]), null, null);
            }
            records.Add(lba);
            var entries = MbrEntry.ParseAll(buffer.Span);
            if (entries.Count(e => e.IsExtended) > 1 || entries.Count(e => !e.IsExtended) > 1)
                return (null, null, Text($"has a boot record with {entries.Count} entries at LBA {lba}"));
            next = null;
            foreach (var entry in entries)
            {
                var start = (ulong)(entry.IsExtended ? extended.FirstLba : lba) + entry.FirstLba;
                if (start + (entry.IsExtended ? 1 : entry.Sectors) > extended.EndLba)
                    return (null, Text($"the boot record at LBA {lba} points to LBA {start}, and the extended partition has LBA {extended.FirstLba} to {extended.EndLba - 1}"), null);
                if (entry.IsExtended)
                    next = (long)start;
                else
                    logicals.Add(new LogicalPartition(lba, (long)start, entry.Sectors, entry.Type, entry.Boot));
            }
        }
        var chain = new EbrChain(logicals, records);
        return chain.Overlap() is { } overlap ? (null, overlap, null) : (chain, null, null);
    }

    private string? Overlap()
    {
        var pieces = Records.Select(lba => (First: lba, End: lba + 1)).Concat(Logicals.Select(l => (First: l.FirstLba, End: l.FirstLba + l.Sectors))).Order().ToList();
        for (var i = 1; i < pieces.Count; i++)
            if (pieces[i].First < pieces[i - 1].End)
                return Text($"the logical partitions and their boot records overlap at LBA {pieces[i].First}");
        return null;
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}

/// <param name="RecordLba">The boot record that lists it.</param>
internal readonly record struct LogicalPartition(long RecordLba, long FirstLba, long Sectors, byte Type, byte Boot);
