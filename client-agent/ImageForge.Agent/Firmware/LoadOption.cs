using System.Buffers.Binary;
using System.Text;

namespace ImageForge.Agent.Firmware;

/// <summary>
/// A boot entry, the value of a <c>Boot####</c> variable (UEFI 2.10 §3.1.3): attributes 32 bits, length of the path list 16 bits,
/// description in UTF-16 with its end, path list, optional data.
/// </summary>
internal sealed record LoadOption(uint Attributes, string Description, DevicePath Path, byte[] OptionalData)
{
    /// <summary>The firmware considers it at boot.</summary>
    public const uint Active = 1;

    /// <summary>Null for what is no load option.</summary>
    public static LoadOption? Parse(ReadOnlySpan<byte> value)
    {
        if (value.Length < 8)
            return null;
        var pathBytes = BinaryPrimitives.ReadUInt16LittleEndian(value[4..]);
        var text = value[6..];
        var end = 0;
        while (end + 2 <= text.Length && (text[end] | text[end + 1]) != 0)
            end += 2;
        if (end + 2 > text.Length || pathBytes > text.Length - end - 2)
            return null;
        var rest = text[(end + 2)..];
        return new LoadOption(BinaryPrimitives.ReadUInt32LittleEndian(value), Encoding.Unicode.GetString(text[..end]),
            new DevicePath(rest[..pathBytes].ToArray()), rest[pathBytes..].ToArray());
    }

    public byte[] ToBytes()
    {
        var text = Encoding.Unicode.GetBytes(Description + '\0');
        var bytes = new byte[6 + text.Length + Path.Bytes.Length + OptionalData.Length];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, Attributes);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(4), checked((ushort)Path.Bytes.Length));
        text.CopyTo(bytes.AsSpan(6));
        Path.Bytes.CopyTo(bytes.AsSpan(6 + text.Length));
        OptionalData.CopyTo(bytes.AsSpan(6 + text.Length + Path.Bytes.Length));
        return bytes;
    }

    /// <summary>Whether starting one is starting the other.</summary>
    public bool LeadsWhere(LoadOption other) => Path.Bytes.AsSpan().SequenceEqual(other.Path.Bytes) && OptionalData.AsSpan().SequenceEqual(other.OptionalData);
}
