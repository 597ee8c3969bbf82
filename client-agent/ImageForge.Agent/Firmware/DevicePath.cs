using System.Buffers.Binary;
using System.Text;

namespace ImageForge.Agent.Firmware;

/// <summary>
/// A device path (UEFI 2.10 §10.3): nodes of type, subtype, length (16 bits, with these four bytes) and data, closed by 7F FF 04 00.
/// Only what a boot entry needs is looked into; everything else is kept as it is.
/// </summary>
internal sealed record DevicePath(byte[] Bytes)
{
    private const byte Messaging = 3, Media = 4, End = 0x7F;
    private const byte MacAddress = 11, HardDrive = 1, FilePath = 4;
    private const byte WholeEnd = 0xFF, GptFormat = 2, GuidSignature = 2;
    private const int HardDriveBytes = 42;

    /// <summary>Leads to a network card.</summary>
    public bool IsNetwork => Nodes().Any(n => n is { Type: Messaging, SubType: MacAddress });

    /// <summary>The unique GUID of the GPT partition it names (§10.3.5.1), null for every other path.</summary>
    public Guid? Partition
    {
        get
        {
            foreach (var node in Nodes())
                if (node is { Type: Media, SubType: HardDrive } && node.Data is { Length: HardDriveBytes - 4 } data && data.Span[36] == GptFormat && data.Span[37] == GuidSignature)
                    return new Guid(data.Span.Slice(20, 16));
            return null;
        }
    }

    /// <summary>The file it names, such as <c>\EFI\debian\shimx64.efi</c>; null without one.</summary>
    public string? File
    {
        get
        {
            foreach (var node in Nodes())
                if (node is { Type: Media, SubType: FilePath })
                    return Encoding.Unicode.GetString(node.Data.Span).TrimEnd('\0');
            return null;
        }
    }

    /// <summary>The path of a loader on a GPT partition: a hard-drive node and a file node, which firmware expands (§3.1.2, short-form).</summary>
    /// <param name="firstLba">In logical blocks of the disk, as is <paramref name="sectors"/>.</param>
    public static DevicePath OfLoader(int number, long firstLba, long sectors, Guid partition, string file)
    {
        var name = Encoding.Unicode.GetBytes(file + '\0');
        var bytes = new byte[HardDriveBytes + 4 + name.Length + 4];
        var drive = bytes.AsSpan(0, HardDriveBytes);
        WriteHead(drive, Media, HardDrive);
        BinaryPrimitives.WriteInt32LittleEndian(drive[4..], number);
        BinaryPrimitives.WriteInt64LittleEndian(drive[8..], firstLba);
        BinaryPrimitives.WriteInt64LittleEndian(drive[16..], sectors);
        partition.TryWriteBytes(drive[24..]);
        (drive[40], drive[41]) = (GptFormat, GuidSignature);
        var path = bytes.AsSpan(HardDriveBytes, 4 + name.Length);
        WriteHead(path, Media, FilePath);
        name.CopyTo(path[4..]);
        WriteHead(bytes.AsSpan(^4..), End, WholeEnd);
        return new DevicePath(bytes);
    }

    /// <summary>As many nodes as are whole: a path that lies about its lengths ends where it does.</summary>
    private IEnumerable<(byte Type, byte SubType, ReadOnlyMemory<byte> Data)> Nodes()
    {
        for (var at = 0; at + 4 <= Bytes.Length;)
        {
            var length = BinaryPrimitives.ReadUInt16LittleEndian(Bytes.AsSpan(at + 2));
            if (length < 4 || at + length > Bytes.Length || Bytes[at] == End)
                yield break;
            yield return (Bytes[at], Bytes[at + 1], Bytes.AsMemory(at + 4, length - 4));
            at += length;
        }
    }

    private static void WriteHead(Span<byte> node, byte type, byte subType)
    {
        (node[0], node[1]) = (type, subType);
        BinaryPrimitives.WriteUInt16LittleEndian(node[2..], checked((ushort)node.Length));
    }
}
