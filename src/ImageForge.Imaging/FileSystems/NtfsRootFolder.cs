using System.Numerics;
using System.Text;

namespace ImageForge.Imaging.FileSystems;

/// <summary>
/// Names in the root folder (MFT record 5). $INDEX_ROOT: 8 bytes per index block, 16 header. $INDEX_ALLOCATION: blocks, 0 "INDX", 4/6 update
/// sequence, 24 header; $BITMAP tells which are in use. Header: 0 first entry, 4 end, both from the header. Entry: 0 record (48 bits) and its
/// sequence number, 8 length, 10 length of the key, 12 flags (2 = last, no key), 16 key, a $FILE_NAME: 0 parent, 64 characters, 66 name.
/// All blocks are looked through: cheaper than to know the order of names, and what is found is checked against its own record.
/// </summary>
internal sealed class NtfsRootFolder
{
    public const long Record = 5;
    public const ulong RecordMask = 0xFFFF_FFFF_FFFF;
    public const int NameLengthAt = 64, NameAt = 66;

    /// <summary>A million files in the root folder: nobody has them, and looking for names must end.</summary>
    private const int MaxIndexBytes = 128 << 20;
    private const int RootHeader = 16, BlockHeader = 24, KeyAt = 16;
    private const ushort LastEntry = 2;

    private readonly Func<string, bool> _wanted;
    private readonly List<Found> _found = [];

    private NtfsRootFolder(Func<string, bool> wanted) => _wanted = wanted;

    /// <summary>An entry whose name is wanted; a name may occur several times.</summary>
    public readonly record struct Found(string Name, long Record, int Sequence);

    public static List<Found> Find(VolumeReader volume, NtfsBootSector boot, NtfsMft mft, Func<string, bool> wanted)
    {
        var record = mft.Read(Record);
        var index = mft.Attributes(Record, record).FindAll(attribute => attribute.IsNameIndex);
        var roots = index.FindAll(attribute => attribute.Type == NtfsAttribute.IndexRoot);
        if (!record.IsFolder || roots.Count != 1 || roots[0].Content() is not { Length: >= RootHeader + 16 } root)
            throw new DamagedVolumeException("its root folder has no index");
        var folder = new NtfsRootFolder(wanted);
        folder.Walk(root.Span[RootHeader..]);
        var allocation = index.FindAll(attribute => attribute.Type == NtfsAttribute.IndexAllocation);
        if (allocation.Count > 0)
            folder.WalkBlocks(volume, NtfsFile.Open(boot, Record, allocation),
                NtfsFile.Open(boot, Record, index.FindAll(attribute => attribute.Type == NtfsAttribute.Bitmap)), root.Span.U32(8));
        return folder._found;
    }

    private void WalkBlocks(VolumeReader volume, NtfsFile allocation, NtfsFile bitmap, uint blockSize)
    {
        if (blockSize is < 512 or > 65536 || !BitOperations.IsPow2(blockSize) || allocation.Size > MaxIndexBytes)
            throw new DamagedVolumeException("its root folder has an impossible size");
        var block = new byte[blockSize];
        var bits = new byte[Math.Min((allocation.Size / blockSize + 7) / 8, bitmap.Size)];
        bitmap.Read(volume, 0, bits);
        for (long at = 0; at <= allocation.Size - blockSize; at += blockSize)
        {
            var number = at / blockSize;
            if (number / 8 >= bits.Length)
                break;
            if ((bits[number / 8] >> (int)(number % 8) & 1) == 0)
                continue;
            allocation.Read(volume, at, block);
            if (!block.AsSpan().StartsWith("INDX"u8))
                throw new DamagedVolumeException("a block of its root folder has no signature");
            NtfsRecord.ApplyFixups(block, "a block of its root folder");
            Walk(block.AsSpan(BlockHeader));
        }
    }

    private void Walk(ReadOnlySpan<byte> index)
    {
        var (first, end) = (index.U32(0), index.U32(4));
        if (end > index.Length || first < 16)
            throw new DamagedVolumeException("the index of its root folder has an impossible size");
        for (var at = (int)Math.Min(first, end); at <= (int)end - KeyAt;)
        {
            int length = index.U16(at + 8), key = index.U16(at + 10);
            if (length < KeyAt || length > (int)end - at)
                throw new DamagedVolumeException("an entry of its root folder has an impossible size");
            if ((index.U16(at + 12) & LastEntry) != 0)
                return;
            if (key < NameAt || key > length - KeyAt || NameAt + 2 * index[at + KeyAt + NameLengthAt] > key)
                throw new DamagedVolumeException("a name in its root folder has an impossible size");
            var name = Encoding.Unicode.GetString(index.Slice(at + KeyAt + NameAt, 2 * index[at + KeyAt + NameLengthAt]));
            if (_wanted(name))
                _found.Add(new Found(name, (long)(index.U64(at) & RecordMask), index.U16(at + 6)));
            at += length;
        }
        throw new DamagedVolumeException("the index of its root folder has no end");
    }
}
