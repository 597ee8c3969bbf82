using System.Buffers.Binary;

namespace ImageForge.Imaging.FileSystems;

/// <summary>
/// One MFT record: 0 "FILE", 4/6 offset and count of the update sequence, 16 sequence number, 18 hard links, 20 first attribute, 22 flags
/// (1 = in use, 2 = folder), 24 bytes in use, 32 base record (48 bits, 0 for a base record itself). The last two bytes of every 512 are kept in the update sequence and replaced by
/// its number: a torn write shows as a mismatch.
/// </summary>
internal sealed class NtfsRecord
{
    private const int Stride = 512;

    private readonly byte[] _bytes;
    private readonly int _end;

    private NtfsRecord(byte[] bytes, int end) => (_bytes, _end) = (bytes, end);

    public int Sequence => _bytes.U16(16);
    public int Links => _bytes.U16(18);
    public bool IsFolder => (_bytes.U16(22) & 2) != 0;
    public long BaseRecord => (long)(_bytes.U64(32) & 0xFFFF_FFFF_FFFF);

    public static NtfsRecord Parse(byte[] bytes, long number)
    {
        if (!bytes.AsSpan().StartsWith("FILE"u8))
            throw new DamagedVolumeException($"MFT record {number} has no signature");
        ApplyFixups(bytes, $"MFT record {number}");
        var used = bytes.U32(24);
        if ((bytes.U16(22) & 1) == 0 || used > bytes.Length || bytes.U16(20) < 42)
            throw new DamagedVolumeException($"MFT record {number} is not in use or has an impossible size");
        return new NtfsRecord(bytes, (int)used);
    }

    /// <summary>The attributes in order; at most one per 16 bytes of the record.</summary>
    public List<NtfsAttribute> Attributes()
    {
        var found = new List<NtfsAttribute>();
        for (int at = _bytes.U16(20); at <= _end - 4;)
        {
            var type = _bytes.U32(at);
            if (type == 0xFFFF_FFFF)
                break;
            var length = at <= _end - 16 ? _bytes.U32(at + 4) : 0;
            if (length < 16 || length % 8 != 0 || length > _end - at)
                throw new DamagedVolumeException("an attribute has an impossible length");
            found.Add(new NtfsAttribute(_bytes.AsMemory(at, (int)length)));
            at += (int)length;
        }
        return found;
    }

    public static void ApplyFixups(Span<byte> bytes, string what)
    {
        ReadOnlySpan<byte> head = bytes;
        int offset = head.U16(4), count = head.U16(6);
        if (count != bytes.Length / Stride + 1 || offset < 8 || offset + 2 * count > Stride - 2)
            throw new DamagedVolumeException($"{what} has an impossible update sequence");
        var number = head.U16(offset);
        for (var i = 1; i < count; i++)
        {
            var last = bytes.Slice(i * Stride - 2, 2);
            if (BinaryPrimitives.ReadUInt16LittleEndian(last) != number)
                throw new DamagedVolumeException($"{what} was written in part");
            bytes.Slice(offset + 2 * i, 2).CopyTo(last);
        }
    }
}

/// <summary>
/// One attribute: 0 type, 4 length, 8 non-resident, 9/10 length and offset of the name, 12 flags, 14 id. Resident: 16 length and 20 offset
/// of the content. Non-resident: 16/24 first and last virtual cluster, 32 offset of the runs, 48 size, 56 initialised size.
/// </summary>
internal readonly struct NtfsAttribute(ReadOnlyMemory<byte> bytes)
{
    public const uint AttributeList = 0x20, FileName = 0x30, VolumeName = 0x60, VolumeInformation = 0x70, Data = 0x80,
        IndexRoot = 0x90, IndexAllocation = 0xA0, Bitmap = 0xB0, ReparsePoint = 0xC0;

    private ReadOnlySpan<byte> Bytes => bytes.Span;

    public uint Type => Bytes.U32(0);
    public bool IsNonResident => Bytes[8] != 0;
    public bool IsNamed => Bytes[9] != 0;

    /// <summary>Of a folder's index by name: "$I30".</summary>
    public bool IsNameIndex => Bytes[9] == 4 && Bytes.U16(10) is var at && at <= Bytes.Length - 8 && Bytes.Slice(at, 8).SequenceEqual("$\0I\03\00\0"u8);

    /// <summary>Neither compressed nor sparse nor encrypted.</summary>
    public bool IsPlain => Bytes.U16(12) == 0;
    public ulong FirstVcn => IsNonResident ? Long(16) : 0;
    public ulong LastVcn => Long(24);
    public ulong Size => Long(48);
    public ulong InitializedSize => Long(56);

    public ReadOnlyMemory<byte> Content()
    {
        if (IsNonResident || bytes.Length < 24)
            throw new DamagedVolumeException("an attribute is not where it should be");
        var (length, offset) = (Bytes.U32(16), Bytes.U16(20));
        return offset <= bytes.Length && length <= bytes.Length - offset
            ? bytes.Slice(offset, (int)length)
            : throw new DamagedVolumeException("an attribute reaches outside its record");
    }

    public ReadOnlySpan<byte> Runs()
    {
        if (!IsNonResident || bytes.Length < 64)
            throw new DamagedVolumeException("an attribute has no runs");
        int offset = Bytes.U16(32);
        return offset >= 64 && offset < bytes.Length ? Bytes[offset..] : throw new DamagedVolumeException("an attribute's runs lie outside it");
    }

    private ulong Long(int at) => bytes.Length >= at + 8 ? Bytes.U64(at) : throw new DamagedVolumeException("an attribute is too short");
}
