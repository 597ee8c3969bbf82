namespace ImageForge.Imaging.FileSystems;

/// <summary>The master file table: records by their number, and what a record and its extension records hold together.</summary>
internal sealed class NtfsMft
{
    /// <summary>Windows limits an attribute list to this many bytes.</summary>
    private const int MaxAttributeList = 256 << 10;
    private const int OwnRecord = 0;

    private readonly VolumeReader _volume;
    private readonly NtfsBootSector _boot;

    private NtfsMft(VolumeReader volume, NtfsBootSector boot, NtfsFile content) => (_volume, _boot, Content) = (volume, boot, content);

    public NtfsFile Content { get; }

    /// <summary>The first record lies where the boot sector says; the records its own list names lie in the part known so far.</summary>
    public static NtfsMft Open(VolumeReader volume, NtfsBootSector boot)
    {
        var first = NtfsRecord.Parse(volume.Read(boot.MftCluster * boot.ClusterSize, boot.RecordSize), OwnRecord);
        var attributes = first.Attributes();
        var own = attributes.FindAll(IsContent);
        if (own.Count != 1)
            throw new DamagedVolumeException($"the MFT has {own.Count} contents in its first record");
        var mft = new NtfsMft(volume, boot, NtfsFile.Open(boot, OwnRecord, own[0]));
        if (own[0].FirstVcn != 0)
            throw new DamagedVolumeException("the MFT does not start in its own first record");
        foreach (var entry in mft.ReadLists(attributes).Where(e => e is { Type: NtfsAttribute.Data, IsNamed: false, FirstVcn: > 0 }).OrderBy(e => e.FirstVcn))
        {
            var pieces = mft.ReadExtension(entry.Record, OwnRecord).FindAll(IsContent);
            var index = pieces.FindIndex(piece => piece.FirstVcn == entry.FirstVcn);
            mft.Content.Append(index >= 0 ? pieces[index] : throw new DamagedVolumeException($"MFT record {entry.Record} lacks a piece of the MFT"));
        }
        return mft;
    }

    /// <exception cref="DamagedVolumeException">There is no such record, or it is not in use.</exception>
    public NtfsRecord Read(long number)
    {
        var bytes = new byte[_boot.RecordSize];
        if (number > long.MaxValue / _boot.RecordSize)
            throw new DamagedVolumeException("an MFT record number is impossible");
        // Through the runs and not the size: while the MFT's list is being followed, its size is that of the whole.
        Content.Runs.Read(_volume, _boot.ClusterSize, number * _boot.RecordSize, bytes);
        return NtfsRecord.Parse(bytes, number);
    }

    /// <summary>The attributes of a file, those in its extension records too; pieces of one attribute are in no order.</summary>
    public List<NtfsAttribute> Attributes(long number, NtfsRecord record)
    {
        var attributes = record.Attributes();
        var all = new List<NtfsAttribute>(attributes);
        // The list is bounded, and each record that it names is read once.
        foreach (var holder in ReadLists(attributes).Select(entry => entry.Record).Where(holder => holder != number).Distinct())
            all.AddRange(ReadExtension(holder, number));
        return all;
    }

    /// <summary>The unnamed content of a file.</summary>
    public NtfsFile Open(long number) => NtfsFile.Open(_boot, number, Attributes(number, Read(number)).FindAll(IsContent));

    public static bool IsContent(NtfsAttribute attribute) => attribute.Type == NtfsAttribute.Data && !attribute.IsNamed;

    private List<NtfsAttribute> ReadExtension(long number, long belongsTo) =>
        Read(number) is var record && record.BaseRecord == belongsTo
            ? record.Attributes()
            : throw new DamagedVolumeException($"MFT record {number} does not belong to record {belongsTo}");

    /// <summary>Entries of an $ATTRIBUTE_LIST: 0 type, 4 length, 6 length of the name, 8 first virtual cluster, 16 record (48 bits).</summary>
    private List<Entry> ReadLists(List<NtfsAttribute> attributes)
    {
        var found = new List<Entry>();
        if (attributes.Count(attribute => attribute.Type == NtfsAttribute.AttributeList) is var lists && lists != 1)
            return lists == 0 ? found : throw new DamagedVolumeException("an MFT record has two attribute lists");
        var bytes = ReadList(attributes.Find(attribute => attribute.Type == NtfsAttribute.AttributeList));
        for (var at = 0; at <= bytes.Length - 26;)
        {
            var length = bytes.U16(at + 4);
            if (length < 26 || length > bytes.Length - at)
                throw new DamagedVolumeException("an attribute list is garbled");
            found.Add(new Entry(bytes.U32(at), bytes[at + 6] != 0, bytes.U64(at + 8), (long)(bytes.U64(at + 16) & NtfsRootFolder.RecordMask)));
            at += length;
        }
        return found;
    }

    private byte[] ReadList(NtfsAttribute list)
    {
        if (!list.IsNonResident)
            return list.Content().ToArray();
        if (list.InitializedSize > MaxAttributeList)
            throw new DamagedVolumeException("an attribute list is too long");
        var runs = new NtfsRuns(_boot.Clusters);
        runs.Append(list);
        var bytes = new byte[(int)list.InitializedSize];
        runs.Read(_volume, _boot.ClusterSize, 0, bytes);
        return bytes;
    }

    private readonly record struct Entry(uint Type, bool IsNamed, ulong FirstVcn, long Record);
}
