using System.Globalization;
using System.Text.RegularExpressions;
using ImageForge.Imaging.Disks;
using ImageForge.Imaging.Imports.Tables;

namespace ImageForge.Imaging.Imports.Clonezilla;

/// <summary>
/// An image folder of Clonezilla (ocs-functions of the drbl package: save_part_table_mbr_dm_info, save_part_by_partclone, save_part_by_dd,
/// output_swap_partition_uuid_label, save_hidden_data_after_MBR). For disk <c>sda</c>:
/// <code>
/// disk, parts                 names of the disks, or of the partitions, that were taken
/// sda-pt.sf                   sfdisk -d                  sda-pt.parted   parted -s unit s print
/// sda-mbr                     sector 0                   sda-hidden-data-after-mbr   sector 1 up to the first partition
/// sda-gpt-1st                 GPT: the first 34 sectors  sda-gpt-2nd, sda-gpt.gdisk, sda-gpt.sgdisk   not needed beside it
/// sda4-ebr                    first sector of an extended partition
/// sda1.ntfs-ptcl-img.gz.aa …  partclone, compressed, whole or cut into pieces .aa .ab … (.uncomp: not compressed)
/// sda2.dd-img.aa …            a plain copy, compressed
/// swappt-sda5.info            UUID="…" and LABEL="…" of swap space
/// </code>
/// A device such as <c>cciss/c0d0</c> is written with a dash.
/// </summary>
internal static partial class ClonezillaFolder
{
    public static bool Is(string folder) => File.Exists(Path.Combine(folder, "disk")) || File.Exists(Path.Combine(folder, "parts")) || File.Exists(Path.Combine(folder, "clonezilla-img"));

    public static ImportedDisk Open(string folder, ImportOptions options, CancellationToken cancel)
    {
        if (File.Exists(Path.Combine(folder, "ecryptfs.info")))
            throw ImportFailures.Unsupported(folder, "it is encrypted", "Decrypt it first: ocs-decrypt-img.");
        var sda = ImportChoice.Disk(folder, Disks(folder), options.Disk);
        var lvm = LvmPartitions(folder);
        string At(string suffix) => Path.Combine(folder, sda + suffix);
        var dump = TextFiles.ReadText(At("-pt.sf")) is { Length: > 0 } text ? SfdiskDump.Parse(sda + "-pt.sf", text) : null;
        var (parted, sectorSize) = Parted(TextFiles.ReadText(At("-pt.parted")) ?? "");
        var mbr = TextFiles.ReadBytes(At("-mbr"));
        var gpt = TextFiles.ReadBytes(At("-gpt-1st")) is { } first ? GptPieces.FromDiskStart(first) : TextFiles.ReadBytes(At("-gpt.gdisk")) is { } backup ? GptPieces.FromSgdiskBackup(backup) : null;
        using var disposables = new OnFailure();
        ComposedDisk disk;
        if (gpt is not null || dump?.Scheme == PartitionScheme.Gpt)
        {
            var table = gpt?.ToTable() ?? GptFromDump.Make(sda + "-pt.sf", dump! with { SectorSize = sectorSize ?? dump.SectorSize }, mbr);
            disk = disposables.Keep(new ComposedDisk(Path.GetFileName(folder), table.DiskSectors * table.SectorSize, table.SectorSize, options));
            disk.Write(GptWriter.Rebuild(table, table.DiskSectors * table.SectorSize, table.SectorSize));
        }
        else if (dump is not null)
        {
            var ebr = dump.Partitions.FirstOrDefault(p => p.Number <= 4 && p.Type.ToLowerInvariant() is "5" or "f" or "85") is { } extended ? TextFiles.ReadBytes(At(Part(sda, extended.Number)[sda.Length..] + "-ebr")) : null;
            disk = disposables.Keep(new ComposedDisk(Path.GetFileName(folder), Math.Max(parted * dump.SectorSize, dump.EndSector * dump.SectorSize), dump.SectorSize, options));
            if (TextFiles.ReadBytes(At("-hidden-data-after-mbr")) is { } hidden)
                disk.WriteGap(hidden, dump.SectorSize, dump.Partitions.Select(p => p.FirstSector).DefaultIfEmpty(0).Min() * dump.SectorSize);
            disk.Write(MbrFromDump.Make(sda + "-pt.sf", dump, mbr, ebr));
        }
        else
        {
            throw ImportFailures.Unsupported(folder, $"it has no partition table ({sda}-pt.sf)", "Import its partitions one by one.");
        }
        var notes = new List<string>();
        foreach (var partition in disk.ReadPartitions(sda + "-pt.sf"))
        {
            var part = Part(sda, partition.Number);
            if (lvm.Contains(part))
                throw ImportFailures.Unsupported(folder, $"partition {part} holds LVM, which Clonezilla keeps as single volumes", "Restore it with Clonezilla onto a disk and capture that.");
            Restore(folder, part, disk, partition, notes, cancel);
        }
        var imported = disk.Finish("Clonezilla image", notes);
        disposables.Done();
        return imported;
    }

    private static void Restore(string folder, string part, ComposedDisk disk, Partition partition, List<string> notes, CancellationToken cancel)
    {
        var pieces = ClonezillaPieces.Of(folder, part);
        if (pieces.Count > 0)
            disk.Restore(pieces, partition, cancel);
        else if (TextFiles.ReadText(Path.Combine(folder, $"swappt-{part}.info")) is { } swap)
            SwapHeader.Write(disk.Writable, partition, Guid.TryParse(Value(swap, "UUID"), out var uuid) ? uuid : null, Value(swap, "LABEL") is { Length: > 0 } label ? label : null);
        else
            notes.Add($"Partition {partition.Number} is not in the image: it is left empty.");
    }

    /// <summary>sda and 1 make sda1, nvme0n1 and 1 make nvme0n1p1.</summary>
    private static string Part(string disk, int number) => string.Create(CultureInfo.InvariantCulture, $"{disk}{(char.IsAsciiDigit(disk[^1]) ? "p" : "")}{number}");

    public static List<string> Disks(string folder)
    {
        var tables = Directory.EnumerateFiles(folder, "*-pt.sf").Select(file => Path.GetFileName(file)[..^"-pt.sf".Length]).Where(name => DeviceName().IsMatch(name)).Order(StringComparer.Ordinal).ToList();
        var named = (TextFiles.ReadText(Path.Combine(folder, "disk")) ?? "").Split((char[])[' ', '\t', '\n', '\r'], StringSplitOptions.RemoveEmptyEntries).Select(name => name.Replace('/', '-')).Where(tables.Contains).ToList();
        var disks = named.Count > 0 ? named : tables;
        return disks.Count > 0 ? disks : throw ImportFailures.Unsupported(folder, "it names no disk with a partition table", "Import its partitions one by one.");
    }

    /// <summary>Lines "group /dev/sda2 uuid".</summary>
    private static HashSet<string> LvmPartitions(string folder) =>
        [.. (TextFiles.ReadText(Path.Combine(folder, "lvm_vg_dev.list")) ?? "").Split('\n').Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)).Where(fields => fields.Length >= 2 && fields[1].StartsWith("/dev/", StringComparison.Ordinal)).Select(fields => fields[1][5..].Replace('/', '-'))];

    /// <summary>"Disk /dev/sda: 41943040s" and "Sector size (logical/physical): 512B/512B".</summary>
    private static (long Sectors, int? SectorSize) Parted(string text) => (
        DiskLine().Match(text) is { Success: true } size && long.TryParse(size.Groups["sectors"].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out var sectors) && sectors < 1L << 41 ? sectors : 0,
        SectorLine().Match(text) is { Success: true } sector ? sector.Groups["bytes"].Value == "4096" ? 4096 : 512 : null);

    private static string? Value(string text, string name) =>
        text.Split('\n').FirstOrDefault(line => line.StartsWith(name + "=", StringComparison.Ordinal))?[(name.Length + 1)..].Trim().Trim('"');

    [GeneratedRegex(@"^[A-Za-z0-9][A-Za-z0-9_-]{0,30}$")]
    private static partial Regex DeviceName();

    [GeneratedRegex(@"^Disk /dev/\S+: (?<sectors>[0-9]{1,15})s\s*$", RegexOptions.Multiline | RegexOptions.ExplicitCapture)]
    private static partial Regex DiskLine();

    [GeneratedRegex(@"^Sector size \(logical/physical\): (?<bytes>512|4096)B", RegexOptions.Multiline | RegexOptions.ExplicitCapture)]
    private static partial Regex SectorLine();
}
