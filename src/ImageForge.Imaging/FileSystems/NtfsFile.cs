namespace ImageForge.Imaging.FileSystems;

/// <summary>The unnamed $DATA of a system file: resident bytes, or runs gathered from the base record and its extension records.</summary>
internal sealed class NtfsFile
{
    /// <summary>Windows limits an attribute list to this many bytes.</summary>
    private const int MaxAttributeList = 256 << 10;

    private readonly ReadOnlyMemory<byte>? _resident;
    private readonly NtfsBootSector _boot;

    private NtfsFile(NtfsBootSector boot, ReadOnlyMemory<byte> resident) => (_boot, _resident, Size, Runs) = (boot, resident, resident.Length, new NtfsRuns(0));

    private NtfsFile(NtfsBootSector boot, NtfsRuns runs, long size) => (_boot, Runs, Size) = (boot, runs, size);

    public long Size { get; }

    /// <summary>No runs if the content is resident.</summary>
    public NtfsRuns Runs { get; }

    public void Read(VolumeReader volume, long offset, Span<byte> destination)
    {
        if (offset < 0 || offset > Size - destination.Length)
            throw new DamagedVolumeException("something lies behind the end of a system file");
        if (_resident is { } content)
            content.Span.Slice((int)offset, destination.Length).CopyTo(destination);
        else
            Runs.Read(volume, _boot.ClusterSize, offset, destination);
    }

    /// <param name="readRecord">Reads an MFT record by its number.</param>
    public static NtfsFile Open(VolumeReader volume, NtfsBootSector boot, long number, NtfsRecord record, Func<long, NtfsFile?, NtfsRecord> readRecord)
    {
        var attributes = record.Attributes();
        var own = attributes.FindAll(IsContent);
        var lists = attributes.FindAll(attribute => attribute.Type == NtfsAttribute.AttributeList);
        if (lists.Count == 0)
            return own.Count == 1 ? Open(boot, number, own[0]) : throw new DamagedVolumeException($"MFT record {number} has {own.Count} contents");

        // The pieces in the base record come first; for the MFT itself they must do to read the records that hold the rest.
        NtfsFile? soFar = null;
        foreach (var (firstVcn, holder) in ReadList(volume, boot, lists[0]))
        {
            var pieces = holder == number ? own : readRecord(holder, soFar) is { } extension && extension.BaseRecord == number
                ? extension.Attributes().FindAll(IsContent)
                : throw new DamagedVolumeException($"MFT record {holder} does not belong to record {number}");
            var index = pieces.FindIndex(piece => piece.FirstVcn == firstVcn);
            if (index < 0)
                throw new DamagedVolumeException($"MFT record {holder} lacks a piece of record {number}");
            if (soFar is null)
                soFar = Open(boot, number, pieces[index]);
            else
                soFar.Runs.Append(pieces[index]);
        }
        return soFar ?? throw new DamagedVolumeException($"MFT record {number} has no content");
    }

    private static NtfsFile Open(NtfsBootSector boot, long number, NtfsAttribute attribute)
    {
        if (!attribute.IsPlain)
            throw new DamagedVolumeException($"the content of MFT record {number} is compressed, sparse or encrypted");
        if (!attribute.IsNonResident)
            return new NtfsFile(boot, attribute.Content());
        if (attribute.Size > long.MaxValue || attribute.InitializedSize > attribute.Size)
            throw new DamagedVolumeException($"the content of MFT record {number} has an impossible size");
        var runs = new NtfsRuns(boot.Clusters);
        runs.Append(attribute);
        return new NtfsFile(boot, runs, (long)attribute.InitializedSize);
    }

    private static bool IsContent(NtfsAttribute attribute) => attribute.Type == NtfsAttribute.Data && !attribute.IsNamed;

    /// <summary>Entries of an $ATTRIBUTE_LIST: 0 type, 4 length, 6 length of the name, 8 first virtual cluster, 16 record (48 bits).</summary>
    private static List<(ulong FirstVcn, long Record)> ReadList(VolumeReader volume, NtfsBootSector boot, NtfsAttribute list)
    {
        var bytes = ReadListBytes(volume, boot, list);
        var found = new List<(ulong, long)>();
        for (var at = 0; at <= bytes.Length - 26;)
        {
            var length = bytes.U16(at + 4);
            if (length < 26 || length > bytes.Length - at)
                throw new DamagedVolumeException("an attribute list is garbled");
            if (bytes.U32(at) == NtfsAttribute.Data && bytes[at + 6] == 0)
                found.Add((bytes.U64(at + 8), (long)(bytes.U64(at + 16) & 0xFFFF_FFFF_FFFF)));
            at += length;
        }
        found.Sort();
        return found;
    }

    private static byte[] ReadListBytes(VolumeReader volume, NtfsBootSector boot, NtfsAttribute list)
    {
        if (!list.IsNonResident)
            return list.Content().ToArray();
        if (list.InitializedSize > MaxAttributeList)
            throw new DamagedVolumeException("an attribute list is too long");
        var runs = new NtfsRuns(boot.Clusters);
        runs.Append(list);
        var bytes = new byte[(int)list.InitializedSize];
        runs.Read(volume, boot.ClusterSize, 0, bytes);
        return bytes;
    }
}
