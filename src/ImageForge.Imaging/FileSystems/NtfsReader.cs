using System.Globalization;
using System.Text;

namespace ImageForge.Imaging.FileSystems;

/// <summary>
/// NTFS. Used are: the clusters that $Bitmap (MFT record 6) marks, and everything behind the last whole cluster, where the
/// backup boot sector is. A volume with a pending $LogFile, the dirty flag or a hibernated Windows is taken whole: what the log or that Windows will
/// allocate is still free in $Bitmap on disk. Of a clean one the files of <see cref="NtfsMemoryFiles"/> are used, and skipped.
/// </summary>
internal sealed class NtfsReader : IFileSystemReader
{
    private const int MirrorRecord = 1, LogFileRecord = 2, VolumeRecord = 3, BitmapRecord = 6;

    /// <summary>$VOLUME_INFORMATION: 1 = to be checked, 0x4000 = a check was begun and not ended.</summary>
    private const ushort Dirty = 0x4001;

    public string Name => "NTFS";

    public bool IsPresent(VolumeReader volume) => volume.Length >= 512 && NtfsBootSector.IsPresent(volume.Read(0, 512));

    public VolumeContent Read(VolumeReader volume)
    {
        var boot = NtfsBootSector.Parse(volume.Read(0, 512), volume.Length);
        var mft = NtfsMft.Open(volume, boot);
        var (label, dirty) = ReadVolumeRecord(mft.Read(VolumeRecord));
        var log = mft.Open(LogFileRecord);
        var logState = NtfsLogFile.StateOf(volume, log);
        if (dirty || logState != NtfsLogState.Clean)
            return Whole(volume, boot, label, IsHibernated(volume, boot, mft) || logState == NtfsLogState.HeldByWindows ? VolumeState.Hibernated
                : dirty ? VolumeState.Dirty : VolumeState.JournalPending);
        var memory = NtfsMemoryFiles.Find(volume, boot, mft);
        if (memory.Hibernated)
            return Whole(volume, boot, label, VolumeState.Hibernated);

        var bitmap = mft.Open(BitmapRecord);
        var map = new UsedMap(volume.Length, boot.ClusterSize, volume.SectorSize);
        MarkBitmap(volume, boot, bitmap, map);
        CheckSystemFiles(boot, map, mft.Content, bitmap);
        var kept = new[] { mft.Content, bitmap, log, mft.Open(MirrorRecord) };
        var (skipped, note) = Skip(boot, map, memory, kept);
        var tail = VolumeTail.Mark(volume, map, boot.Clusters * boot.ClusterSize);
        map.MarkBytes(0, boot.ClusterSize);
        return new VolumeContent(FileSystemKind.Ntfs, map.BlockSize, map.Blocks, boot.Uuid, label, VolumeContent.Notes(note, tail)) { Skipped = skipped };
    }

    private static VolumeContent Whole(VolumeReader volume, NtfsBootSector boot, string? label, VolumeState state)
    {
        var reason = state switch
        {
            VolumeState.Dirty => "It is marked dirty (run chkdsk, then shut Windows down)",
            VolumeState.Hibernated => "Windows was not shut down fully: hibernation, fast startup or a power cut (shut down with shutdown /s /f /t 0)",
            _ => "Windows was not shut down fully: its log has work left (start Windows and shut it down)",
        };
        return VolumeProbe.AllUsed(FileSystemKind.Ntfs, volume.Length, boot.Uuid, label, reason + ": taken with every block.") with { State = state };
    }

    /// <summary>Of a volume that is taken whole in any case: what cannot be read says nothing.</summary>
    private static bool IsHibernated(VolumeReader volume, NtfsBootSector boot, NtfsMft mft)
    {
        try
        {
            return NtfsMemoryFiles.Find(volume, boot, mft).Hibernated;
        }
        catch (DamagedVolumeException)
        {
            return false;
        }
    }

    private static (string? Label, bool Dirty) ReadVolumeRecord(NtfsRecord record)
    {
        string? label = null;
        bool? dirty = null;
        foreach (var attribute in record.Attributes())
        {
            if (attribute.Type == NtfsAttribute.VolumeName)
                label = Encoding.Unicode.GetString(attribute.Content().Span);
            if (attribute.Type == NtfsAttribute.VolumeInformation && attribute.Content() is { Length: >= 12 } information)
                dirty = (information.Span.U16(10) & Dirty) != 0;
        }
        return (string.IsNullOrEmpty(label) ? null : label, dirty ?? throw new DamagedVolumeException("it has no volume information"));
    }

    private static void MarkBitmap(VolumeReader volume, NtfsBootSector boot, NtfsFile bitmap, UsedMap map)
    {
        var bytes = (boot.Clusters + 7) / 8;
        if (bitmap.Size < bytes)
            throw new DamagedVolumeException("its $Bitmap is too short for its clusters");
        var piece = new byte[(int)Math.Min(bytes, 64 << 10)];
        for (long done = 0; done < bytes; done += piece.Length)
        {
            var part = piece.AsSpan(0, (int)Math.Min(piece.Length, bytes - done));
            bitmap.Read(volume, done, part);
            map.MarkBits(done * 8 * boot.ClusterSize, boot.ClusterSize, part, (int)Math.Min(part.Length * 8L, boot.Clusters - done * 8));
        }
    }

    /// <summary>A bitmap that calls the boot sector, the MFT or itself free is not to be believed.</summary>
    private static void CheckSystemFiles(NtfsBootSector boot, UsedMap map, NtfsFile mft, NtfsFile bitmap)
    {
        if (!map.IsMarked(0))
            throw new DamagedVolumeException("its $Bitmap calls the boot sector free");
        foreach (var (_, lcn, count) in mft.Runs.All.Concat(bitmap.Runs.All))
            if (!map.IsMarked(lcn * boot.ClusterSize) || !map.IsMarked((lcn + count - 1) * boot.ClusterSize))
                throw new DamagedVolumeException("its $Bitmap calls the MFT or itself free");
    }

    private static (BlockMap? Blocks, string? Note) Skip(NtfsBootSector boot, UsedMap map, NtfsMemoryFiles memory, NtfsFile[] kept)
    {
        if (memory.Skippable.Count == 0)
            return (null, memory.Remark);
        var skipped = new SkippedMap(map);
        var notes = new List<string>();
        foreach (var (name, file) in memory.Skippable)
        {
            var bytes = 0L;
            foreach (var (_, lcn, count) in file.Runs.All)
                bytes += skipped.Mark(lcn * boot.ClusterSize, count * boot.ClusterSize, name);
            if (bytes > 0)
                notes.Add(string.Create(CultureInfo.InvariantCulture, $"{name} ({bytes:N0} bytes)"));
        }
        // Clusters that two files claim: the system's own stay as they are, and so does a boot sector.
        if (skipped.Reaches(0, boot.ClusterSize) || kept.Any(file => file.Runs.All.Any(run => skipped.Reaches(run.Lcn * boot.ClusterSize, run.Count * boot.ClusterSize))))
            throw new DamagedVolumeException("a file's clusters are also those of a system file");
        var note = notes.Count == 0 ? memory.Remark : $"Recorded as zeros: {string.Join(", ", notes)}.{(memory.Remark is null ? "" : " " + memory.Remark)}";
        return (notes.Count == 0 ? null : skipped.Blocks, note);
    }
}
