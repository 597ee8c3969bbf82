using ImageForge.Imaging.Disks;
using ImageForge.Imaging.Tests.Doubles;
using ImageForge.Imaging.Tests.FileSystems;
using ImageForge.Imaging.Tests.Layouts;

namespace ImageForge.Imaging.Tests.Matrix;

/// <summary>Every row's volume, made once for each sector size and put on disks of every layout.</summary>
public sealed class MatrixVolumes : IDisposable
{
    private const long MiB = 1 << 20;
    private readonly Dictionary<(MatrixRow, int), MadeVolume> _made = [];
    private readonly Dictionary<(MatrixRow, int), Dictionary<string, string>> _files = [];

    internal MadeVolume Of(MatrixRow row, int sectorSize)
    {
        if (!_made.TryGetValue((row, sectorSize), out var volume))
            _made[(row, sectorSize)] = volume = row.Make(sectorSize);
        return volume;
    }

    /// <summary>SHA-256 of every file on the volume as it was made.</summary>
    internal Dictionary<string, string> Files(MatrixRow row, int sectorSize)
    {
        if (!_files.TryGetValue((row, sectorSize), out var files))
            _files[(row, sectorSize)] = files = Of(row, sectorSize).HashFiles(Of(row, sectorSize).Image);
        return files;
    }

    /// <summary>Disks that together hold every row's volume: as many as the layout needs.</summary>
    internal IEnumerable<(MadeDisk Disk, IReadOnlyList<MatrixRow> Rows)> Lay(string layout)
    {
        var sectorSize = layout == MatrixLayouts.Large ? 4096 : 512;
        var rows = MatrixRow.All.Where(r => sectorSize == 512 || r.On4096).ToList();
        var perDisk = layout switch { MatrixLayouts.None => 1, MatrixLayouts.Primary => 4, _ => rows.Count };
        foreach (var group in rows.Chunk(perDisk))
        {
            var volumes = group.Select(r => Of(r, sectorSize)).ToList();
            var places = Places(volumes, layout);
            var disk = Make(layout, places, sectorSize);
            for (var i = 0; i < volumes.Count; i++)
                disk.CopyIn(volumes[i].Image, places[i].Offset);
            yield return (disk, group);
        }
    }

    public void Dispose()
    {
        foreach (var volume in _made.Values)
            volume.Dispose();
    }

    /// <summary>A MiB before each, where a logical partition has its boot record.</summary>
    private static List<(long Offset, long Length)> Places(List<MadeVolume> volumes, string layout)
    {
        var places = new List<(long, long)>();
        var at = layout switch { MatrixLayouts.None => 0, MatrixLayouts.Logical => 2 * MiB, _ => MiB };
        foreach (var volume in volumes)
        {
            places.Add((at, volume.Bytes));
            at += volume.Bytes + MiB;
        }
        return places;
    }

    private static MadeDisk Make(string layout, List<(long Offset, long Length)> places, int sectorSize)
    {
        var end = places[^1].Offset + places[^1].Length;
        var sectors = places.Select(p => (Start: p.Offset / 512, Count: p.Length / 512)).ToList();
        switch (layout)
        {
            case MatrixLayouts.Gpt:
                return MadeDisk.Sgdisk(end + MiB, [.. sectors.SelectMany((s, i) => new[] { "-n", FormattableString.Invariant($"{i + 1}:{s.Start}:{s.Start + s.Count - 1}") })]);
            case MatrixLayouts.Primary:
                return MadeDisk.Sfdisk(end + MiB, "label: dos\n" + string.Concat(sectors.Select(s => FormattableString.Invariant($"start={s.Start}, size={s.Count}, type=83\n"))));
            case MatrixLayouts.Logical:
                return MadeDisk.Sfdisk(end + MiB, FormattableString.Invariant($"label: dos\nstart=2048, size={end / 512 - 2048}, type=f\n")
                    + string.Concat(sectors.Select(s => FormattableString.Invariant($"start={s.Start}, size={s.Count}, type=83\n"))));
            case MatrixLayouts.Large:
                var disk = new MadeDisk(end + MiB, 0, sectorSize);
                using (var device = ImageFileDevice.OpenForWriting(disk.Image, sectorSize))
                    TestGpt.WriteTo(device, [.. places]);
                return disk;
            default:
                return new MadeDisk(end);
        }
    }
}

/// <summary>Columns of the support matrix.</summary>
internal static class MatrixLayouts
{
    public const string Gpt = "GPT", Primary = "MBR, primary", Logical = "MBR, logical", None = "no table", Large = "GPT, 4096-byte sectors";

    public static IReadOnlyList<string> All { get; } = [Gpt, Primary, Logical, None, Large];
}
