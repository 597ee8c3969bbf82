using System.Buffers.Binary;
using System.Text;

namespace ImageForge.Imaging.Disks;

/// <summary>
/// One slot of a GPT (UEFI 2.10 §5.3.3, table 5.7), little endian:
/// <code>
///  0 16  type GUID, all 0 = unused    40  8  last LBA (inclusive)
/// 16 16  unique GUID                  48  8  attributes
/// 32  8  first LBA                    56 72  name, UTF-16LE, ends at the first NUL
/// </code>
/// </summary>
internal readonly record struct GptEntry(int Number, Guid Type, Guid Unique, ulong FirstLba, ulong LastLba, ulong Attributes, string Name)
{
    public static List<GptEntry> ParseAll(ReadOnlySpan<byte> entries, int count, int size)
    {
        var used = new List<GptEntry>();
        for (var i = 0; i < count; i++)
        {
            var slot = entries.Slice(i * size, size);
            if (!slot[..16].ContainsAnyExcept((byte)0))
                continue;
            used.Add(new GptEntry(i + 1, new Guid(slot[..16]), new Guid(slot.Slice(16, 16)),
                BinaryPrimitives.ReadUInt64LittleEndian(slot[32..]), BinaryPrimitives.ReadUInt64LittleEndian(slot[40..]),
                BinaryPrimitives.ReadUInt64LittleEndian(slot[48..]), ReadName(slot.Slice(56, 72))));
        }
        return used;
    }

    public Partition ToPartition(int sectorSize) => new(Number, (long)FirstLba * sectorSize, (long)(LastLba - FirstLba + 1) * sectorSize,
        Type.ToString(), Unique.ToString(), Name.Length == 0 ? null : Name, Attributes);

    private static string ReadName(ReadOnlySpan<byte> utf16)
    {
        // Broken surrogates become U+FFFD; control characters would garble a screen.
        var text = Encoding.Unicode.GetString(utf16);
        var end = text.IndexOf('\0', StringComparison.Ordinal);
        return string.Create(end < 0 ? text.Length : end, text, static (name, source) =>
        {
            for (var i = 0; i < name.Length; i++)
                name[i] = char.IsControl(source[i]) ? '\uFFFD' : source[i];
        });
    }
}
