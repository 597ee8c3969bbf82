using System.Globalization;
using System.Text.RegularExpressions;
using ImageForge.Imaging.Disks;
using ImageForge.Imaging.Imports.Tables;

namespace ImageForge.Imaging.Imports.Fog;

/// <summary>
/// An image folder of the FOG Project (FOGProject/fos: fog.upload, funcs.sh, partition-funcs.sh). For disk <em>n</em> and partition <em>m</em>:
/// <code>
/// dn.mbr                 MBR disk: the sectors before the first partition, at most 1 MiB; GPT disk: sgdisk --backup
/// dn.grub.mbr            GPT disk with GRUB: the sectors before the first partition
/// dn.partitions          sfdisk -d (older: dn.original.partitions)
/// dn.minimum.partitions  resizable image: the same after shrinking; the file systems are the shrunken ones
/// dnpm.img[.001 …]       partclone, through gzip or zstd or nothing, whole or cut into pieces
/// dnpm.ebr               first sector of an extended (or logical) partition
/// dn.original.swapuuids  lines "/dev/sda2 uuid"
/// dn.size                "n:bytes" where all disks were taken
/// </code>
/// </summary>
internal static partial class FogFolder
{
    /// <summary>FOG keeps at most 1 MiB before the first partition.</summary>
    private const long MaxGap = 1 << 20;

    public static bool Is(string folder) => Directory.EnumerateFiles(folder).Any(file => FirstFile().IsMatch(Path.GetFileName(file)));

    public static ImportedDisk Open(string folder, ImportOptions options, CancellationToken cancel)
    {
        var number = int.Parse(ImportChoice.Disk(folder, Disks(folder), options.Disk), CultureInfo.InvariantCulture);
        string At(string name) => Path.Combine(folder, $"d{number}.{name}");
        var resizable = File.Exists(At("minimum.partitions"));
        var dumpFile = resizable && options.SmallestLayout ? At("minimum.partitions") : File.Exists(At("partitions")) ? At("partitions") : At("original.partitions");
        var dump = TextFiles.ReadText(dumpFile) is { Length: > 0 } text ? SfdiskDump.Parse(Path.GetFileName(dumpFile), text) : null;
        var mbr = TextFiles.ReadBytes(At("mbr"));
        var gpt = mbr is null ? null : GptPieces.FromSgdiskBackup(mbr);
        // The copy of sgdisk was made after shrinking.
        var original = resizable && !options.SmallestLayout && dump is not null;
        using var disposables = new OnFailure();
        ComposedDisk disk;
        if (dump?.Scheme == PartitionScheme.Gpt || (dump is null && gpt is not null))
        {
            var table = gpt is not null && !original ? gpt.ToTable() : GptFromDump.Make(Path.GetFileName(dumpFile), dump!, gpt?.BootSector);
            disk = disposables.Keep(new ComposedDisk(Path.GetFileName(folder), table.DiskSectors * table.SectorSize, table.SectorSize, options));
            disk.Write(GptWriter.Rebuild(table, table.DiskSectors * table.SectorSize, table.SectorSize));
        }
        else if (mbr is { Length: >= 512 } && dump is not null)
        {
            var firstEbr = dump.Partitions.FirstOrDefault(p => p.Number <= 4 && p.Type.ToLowerInvariant() is "5" or "f" or "85") is { } extended ? TextFiles.ReadBytes(Path.Combine(folder, $"d{number}p{extended.Number}.ebr")) : null;
            disk = disposables.Keep(new ComposedDisk(Path.GetFileName(folder), Math.Max(Size(folder, number), dump.EndSector * dump.SectorSize), dump.SectorSize, options));
            disk.WriteGap(mbr, 0, MaxGap);
            disk.Write(MbrFromDump.Make(Path.GetFileName(dumpFile), dump, mbr, firstEbr));
        }
        else
        {
            throw ImportFailures.Unsupported(folder, $"it has no partition table (d{number}.mbr and d{number}.partitions)", "Import its d1p1.img and so on one by one.");
        }
        var partitions = disk.ReadPartitions(Path.GetFileName(dumpFile));
        if (TextFiles.ReadBytes(At("grub.mbr")) is { } grub && partitions.Count > 0)
            disk.WriteGap(grub.AsSpan(Math.Min(grub.Length, GptEnd)), GptEnd, partitions.Min(p => p.Offset));
        var notes = new List<string>();
        if (resizable)
            notes.Add(original
                ? "FOG shrank the file systems of this image and not their partitions: grow them after a deploy (ntfsresize, resize2fs), or import with --smallest-layout."
                : "The partitions are as small as FOG made them.");
        Restore(folder, number, disk, partitions, notes, cancel);
        var imported = disk.Finish("FOG image", notes);
        disposables.Done();
        return imported;
    }

    /// <summary>First byte after a GPT of 128 slots.</summary>
    private const int GptEnd = 34 * 512;

    private static void Restore(string folder, int number, ComposedDisk disk, IReadOnlyList<Partition> partitions, List<string> notes, CancellationToken cancel)
    {
        var swaps = SwapUuids(TextFiles.ReadText(Path.Combine(folder, $"d{number}.original.swapuuids")) ?? "");
        foreach (var partition in partitions)
        {
            var pieces = Pieces(folder, $"d{number}p{partition.Number}.img");
            if (pieces.Count > 0)
                disk.Restore(pieces, partition, cancel);
            else if (swaps.TryGetValue(partition.Number, out var uuid))
                SwapHeader.Write(disk.Writable, partition, uuid, null);
            else
                notes.Add($"Partition {partition.Number} is not in the image: it is left empty.");
        }
    }

    /// <summary>FOG names the first piece of a cut image <c>.img</c>, later ones <c>.img.001</c> and on; an interrupted rename leaves <c>.img.000</c>.</summary>
    private static List<string> Pieces(string folder, string name)
    {
        var whole = Path.Combine(folder, name);
        var numbered = Directory.EnumerateFiles(folder, name + ".*").Where(file => Piece().IsMatch(file)).Order(StringComparer.Ordinal);
        var pieces = File.Exists(whole) ? [whole, .. numbered] : numbered.ToList();
        var first = File.Exists(whole) ? 0 : pieces.Count > 0 ? int.Parse(Path.GetExtension(pieces[0]).AsSpan(1), CultureInfo.InvariantCulture) : 0;
        for (var i = File.Exists(whole) ? 1 : 0; i < pieces.Count; i++)
            if (int.Parse(Path.GetExtension(pieces[i]).AsSpan(1), CultureInfo.InvariantCulture) != first + i)
                throw ImportFailures.Damaged(name, $"its piece {first + i:000} is missing");
        return pieces;
    }

    private static Dictionary<int, Guid> SwapUuids(string text)
    {
        var uuids = new Dictionary<int, Guid>();
        foreach (Match line in SwapLine().Matches(text))
            if (int.TryParse(line.Groups["number"].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && Guid.TryParse(line.Groups["uuid"].ValueSpan, out var uuid))
                uuids.TryAdd(number, uuid);
        return uuids;
    }

    private static long Size(string folder, int number) =>
        TextFiles.ReadText(Path.Combine(folder, $"d{number}.size"))?.Trim().Split(':') is [_, var bytes]
        && long.TryParse(bytes, NumberStyles.None, CultureInfo.InvariantCulture, out var size) ? size / 512 * 512 : 0;

    public static List<string> Disks(string folder) =>
        [.. Directory.EnumerateFiles(folder).Select(file => FirstFile().Match(Path.GetFileName(file))).Where(match => match.Success)
            .Select(match => int.Parse(match.Groups["disk"].ValueSpan, CultureInfo.InvariantCulture)).Distinct().Order().Select(disk => disk.ToString(CultureInfo.InvariantCulture))];

    [GeneratedRegex(@"^d(?<disk>[1-9][0-9]?)(\.mbr|\.partitions|\.original\.partitions|p[0-9]{1,3}\.img(\.000)?)$", RegexOptions.ExplicitCapture)]
    private static partial Regex FirstFile();

    [GeneratedRegex(@"\.img\.[0-9]{3}$")]
    private static partial Regex Piece();

    [GeneratedRegex(@"^\S*?(?<number>[0-9]{1,3})[ \t]+(?<uuid>[0-9A-Fa-f-]{36})\s*$", RegexOptions.Multiline | RegexOptions.ExplicitCapture)]
    private static partial Regex SwapLine();
}
