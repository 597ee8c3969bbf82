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
    /// <summary>Boot code without a file system: GRUB's core image on BIOS machines, the boot loader of PowerPC firmware.</summary>
    private static readonly Dictionary<Guid, string> s_bootCode = new()
    {
        [new("21686148-6449-6e6f-744e-656564454649")] = "A BIOS boot partition: boot code, taken with every block.",
        [new("9e1a2d38-c612-4316-aa26-8b49521e5a2b")] = "A PReP boot partition: boot code, taken with every block.",
    };

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
        Type.ToString(), Unique.ToString(), Name.Length == 0 ? null : Name, Attributes)
    {
        Opaque = s_bootCode.GetValueOrDefault(Type),
    };

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
