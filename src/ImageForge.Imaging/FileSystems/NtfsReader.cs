using System.Text;

namespace ImageForge.Imaging.FileSystems;

/// <summary>
/// NTFS. Used are: the clusters that $Bitmap (MFT record 6) marks, and everything behind the last whole cluster, where the
/// backup boot sector is. A volume with a pending $LogFile or the dirty flag is taken whole: what the log will allocate is still free in
/// $Bitmap on disk. That is also the state Windows' fast startup leaves behind.
/// </summary>
internal sealed class NtfsReader : IFileSystemReader
{
    private const int MftRecord = 0, LogFileRecord = 2, VolumeRecord = 3, BitmapRecord = 6;
    private const ushort Dirty = 1;

    public string Name => "NTFS";

    public bool IsPresent(VolumeReader volume) => volume.Length >= 512 && NtfsBootSector.IsPresent(volume.Read(0, 512));

    public VolumeContent Read(VolumeReader volume)
    {
        var boot = NtfsBootSector.Parse(volume.Read(0, 512), volume.Length);
        var mft = OpenMft(volume, boot);
        var (label, dirty) = ReadVolumeRecord(ReadRecord(volume, boot, mft, VolumeRecord));
        if (dirty)
            return VolumeProbe.AllUsed(FileSystemKind.Ntfs, volume.Length, boot.Uuid, label,
                "It is marked dirty (run chkdsk, then shut Windows down): taken with every block.");
        if (!NtfsLogFile.IsClean(volume, OpenFile(volume, boot, mft, LogFileRecord)))
            return VolumeProbe.AllUsed(FileSystemKind.Ntfs, volume.Length, boot.Uuid, label,
                "Windows was not shut down fully: power cut, hibernation or fast startup (shut down with shutdown /s /t 0): taken with every block.");

        var bitmap = OpenFile(volume, boot, mft, BitmapRecord);
        var map = new UsedMap(volume.Length, boot.ClusterSize, volume.SectorSize);
        MarkBitmap(volume, boot, bitmap, map);
        CheckSystemFiles(boot, map, mft, bitmap);
        map.MarkFrom(boot.Clusters * boot.ClusterSize);
        map.MarkBytes(0, boot.ClusterSize);
        return new VolumeContent(FileSystemKind.Ntfs, map.BlockSize, map.Blocks, boot.Uuid, label, null);
    }

    private static NtfsFile OpenMft(VolumeReader volume, NtfsBootSector boot)
    {
        // The first record lies where the boot sector says; the records the MFT's own list names lie in the part read so far.
        var first = NtfsRecord.Parse(volume.Read(boot.MftCluster * boot.ClusterSize, boot.RecordSize), MftRecord);
        return NtfsFile.Open(volume, boot, MftRecord, first, (number, soFar) => soFar is null
            ? throw new DamagedVolumeException("the MFT does not start in its own first record")
            : ReadRecord(volume, boot, soFar, number));
    }

    private static NtfsFile OpenFile(VolumeReader volume, NtfsBootSector boot, NtfsFile mft, long number) =>
        NtfsFile.Open(volume, boot, number, ReadRecord(volume, boot, mft, number), (holder, _) => ReadRecord(volume, boot, mft, holder));

    private static NtfsRecord ReadRecord(VolumeReader volume, NtfsBootSector boot, NtfsFile mft, long number)
    {
        var bytes = new byte[boot.RecordSize];
        if (number > long.MaxValue / boot.RecordSize)
            throw new DamagedVolumeException("an MFT record number is impossible");
        // Through the runs and not the size: while the MFT's list is being followed, its size is that of the whole.
        mft.Runs.Read(volume, boot.ClusterSize, number * boot.RecordSize, bytes);
        return NtfsRecord.Parse(bytes, number);
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
}
