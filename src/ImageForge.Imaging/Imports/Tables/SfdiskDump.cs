using System.Globalization;
using ImageForge.Imaging.Disks;

namespace ImageForge.Imaging.Imports.Tables;

/// <param name="Number">As Linux counts.</param>
/// <param name="Type">As written: <c>83</c>, or a GUID.</param>
/// <param name="Attributes">Names and <c>GUID:n</c>, separated by spaces.</param>
internal sealed record DumpedPartition(int Number, long FirstSector, long Sectors, string Type, Guid? Unique, string? Name, string? Attributes, bool Bootable);

/// <summary>
/// What <c>sfdisk -d</c> prints (sfdisk(8), "Header lines" and "Named-fields format"), also in the older form with <c>Id=</c>:
/// <code>
/// label: gpt            label-id: GUID or 0x…      device: /dev/sda      unit: sectors
/// first-lba: 34         last-lba: 125829086        sector-size: 512
/// /dev/sda1 : start=  2048, size=  614400, type=…, uuid=…, name="…", attrs="…", bootable
/// </code>
/// </summary>
internal sealed record SfdiskDump(PartitionScheme Scheme, string? LabelId, long? FirstLba, long? LastLba, int SectorSize, IReadOnlyList<DumpedPartition> Partitions)
{
    private const int MaxPartitions = 256;

    /// <summary>1 PiB at 512 bytes.</summary>
    private const long MaxSector = 1L << 41;

    /// <summary>First sector after everything.</summary>
    public long EndSector => Partitions.Select(p => p.FirstSector + p.Sectors).DefaultIfEmpty(0).Max();

    /// <exception cref="Contracts.FailureException"><c>importDamaged</c>.</exception>
    public static SfdiskDump Parse(string name, string text)
    {
        var header = new Dictionary<string, string>(StringComparer.Ordinal);
        var partitions = new List<DumpedPartition>();
        foreach (var raw in text.Split('\n'))
        {
            var line = raw.Trim();
            if (line.StartsWith('/') && line.IndexOf(" : ", StringComparison.Ordinal) is > 0 and var colon)
            {
                if (ParsePartition(name, line[..colon].Trim(), line[(colon + 3)..]) is { } partition)
                    partitions.Add(partition);
                if (partitions.Count > MaxPartitions)
                    throw ImportFailures.Damaged(name, $"it lists more than {MaxPartitions} partitions");
            }
            else if (line.IndexOf(':', StringComparison.Ordinal) is > 0 and var at && !line.StartsWith('#') && header.Count < 64)
            {
                header.TryAdd(line[..at].Trim(), line[(at + 1)..].Trim());
            }
        }
        if (partitions.Select(p => p.Number).Distinct().Count() != partitions.Count)
            throw ImportFailures.Damaged(name, "it lists a partition twice");
        // Before 2.26 sfdisk knew only MBR and wrote no label.
        var scheme = header.GetValueOrDefault("label", "dos") switch
        {
            "gpt" => PartitionScheme.Gpt,
            "dos" => PartitionScheme.Mbr,
            var other => throw ImportFailures.Unsupported(name, $"its partition table is of the kind {other[..Math.Min(other.Length, 20)]}", "Import its partitions one by one."),
        };
        var sectorSize = (int?)Number(header.GetValueOrDefault("sector-size")) ?? 512;
        if (sectorSize is not (512 or 4096))
            throw ImportFailures.Damaged(name, $"it claims sectors of {sectorSize} bytes");
        return new SfdiskDump(scheme, header.GetValueOrDefault("label-id"), Number(header.GetValueOrDefault("first-lba")), Number(header.GetValueOrDefault("last-lba")), sectorSize, partitions);
    }

    /// <summary>Null for an unused slot of the older form.</summary>
    private static DumpedPartition? ParsePartition(string file, string device, string fields)
    {
        var values = Fields(fields);
        var digits = device.AsSpan(device.AsSpan().TrimEnd("0123456789").Length);
        if (!int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number is < 1 or > MaxPartitions)
            throw ImportFailures.Damaged(file, "a partition has no number");
        var (start, size) = (Number(values.GetValueOrDefault("start")), Number(values.GetValueOrDefault("size")));
        var type = values.GetValueOrDefault("type") ?? values.GetValueOrDefault("Id") ?? "";
        if (size == 0 || (start == 0 && type is "0" or ""))
            return null;
        if (start is not (> 0 and < MaxSector) || size is not (> 0 and < MaxSector))
            throw ImportFailures.Damaged(file, $"partition {number} has no place");
        return new DumpedPartition(number, start.Value, size.Value, type,
            Guid.TryParse(values.GetValueOrDefault("uuid"), out var unique) ? unique : null,
            values.GetValueOrDefault("name"), values.GetValueOrDefault("attrs"), values.ContainsKey("bootable"));
    }

    /// <summary><c>key=value</c> or a word, separated by commas; a value in quotes may hold commas and <c>\x22</c>.</summary>
    private static Dictionary<string, string> Fields(string text)
    {
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var at = 0; at < text.Length;)
        {
            var end = at;
            var quoted = false;
            for (; end < text.Length && (quoted || text[end] != ','); end++)
                quoted ^= text[end] == '"';
            var field = text[at..end].Trim();
            at = end + 1;
            var equals = field.IndexOf('=', StringComparison.Ordinal);
            if (field.Length > 0)
                values.TryAdd(equals < 0 ? field : field[..equals].Trim(), equals < 0 ? "" : Unquoted(field[(equals + 1)..].Trim()));
        }
        return values;
    }

    private static string Unquoted(string value)
    {
        if (value is not ['"', .., '"'])
            return value;
        value = value[1..^1];
        for (var at = value.IndexOf("\\x", StringComparison.Ordinal); at >= 0 && at + 4 <= value.Length; at = value.IndexOf("\\x", at + 1, StringComparison.Ordinal))
            if (byte.TryParse(value.AsSpan(at + 2, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code))
                value = string.Concat(value.AsSpan(0, at), ((char)code).ToString(), value.AsSpan(at + 4));
        return value;
    }

    private static long? Number(string? text) =>
        long.TryParse(text, NumberStyles.AllowLeadingWhite, CultureInfo.InvariantCulture, out var number) ? number : null;
}
