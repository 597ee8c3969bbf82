using System.Buffers.Binary;

namespace ImageForge.Imaging.Disks;

/// <summary>
/// One of the four entries of a master or extended boot record, 16 bytes from byte 446: boot indicator (0x00 or 0x80), 3 bytes CHS,
/// type, 3 bytes CHS, first LBA and number of sectors (32 bits each, in logical sectors). In a master boot record the LBA counts from
/// the start of the disk; <see cref="EbrChain"/> says from where in an extended one.
/// </summary>
/// <param name="Slot">1 to 4.</param>
internal readonly record struct MbrEntry(int Slot, byte Boot, byte Type, uint FirstLba, uint Sectors)
{
    public const byte Protective = 0xEE;

    /// <summary>CHS, LBA and Linux' own: all three hold a chain of logical partitions.</summary>
    public bool IsExtended => Type is 0x05 or 0x0F or 0x85;

    public ulong EndLba => (ulong)FirstLba + Sectors;

    public static bool HasSignature(ReadOnlySpan<byte> sector) => sector[510] == 0x55 && sector[511] == 0xAA;

    /// <summary>The entries in use, in the order of their slots.</summary>
    public static List<MbrEntry> ParseAll(ReadOnlySpan<byte> sector)
    {
        var entries = new List<MbrEntry>(4);
        for (var i = 0; i < 4; i++)
        {
            var slot = sector.Slice(446 + 16 * i, 16);
            var entry = new MbrEntry(i + 1, slot[0], slot[4], BinaryPrimitives.ReadUInt32LittleEndian(slot[8..]), BinaryPrimitives.ReadUInt32LittleEndian(slot[12..]));
            if (entry.Type != 0 && entry.Sectors != 0)
                entries.Add(entry);
        }
        return entries;
    }
}
