using System.Buffers.Binary;
using System.Text;

namespace ImageForge.Lab.Machines;

/// <summary>
/// What the firmware remembers while its machine is off: the variable store in OVMF's flash image. EDK2
/// Guid/VariableFormat.h: a firmware volume header, the store's header of 28 bytes, then variables aligned to four bytes, each with
/// a header of 60 bytes (0x55AA, state, attributes, count, time, key, sizes of name and value, vendor).
/// </summary>
public static class FirmwareVariables
{
    private const int StoreHeader = 28, VariableHeader = 60;
    private const byte Valid = 0x3F, BeingReplaced = 0x3E;
    private static readonly Guid s_global = new("8be4df61-93ca-11d2-aa0d-00e098032b8c");

    /// <summary>Values of the global variables by name.</summary>
    public static IReadOnlyDictionary<string, byte[]> Read(string path)
    {
        var flash = File.ReadAllBytes(path);
        var found = new SortedDictionary<string, byte[]>(StringComparer.Ordinal);
        var at = BinaryPrimitives.ReadUInt16LittleEndian(flash.AsSpan(48)) + StoreHeader;
        while (at + VariableHeader <= flash.Length && BinaryPrimitives.ReadUInt16LittleEndian(flash.AsSpan(at)) == 0x55AA)
        {
            var header = flash.AsSpan(at, VariableHeader);
            var nameBytes = BinaryPrimitives.ReadInt32LittleEndian(header[36..]);
            var valueBytes = BinaryPrimitives.ReadInt32LittleEndian(header[40..]);
            var name = Encoding.Unicode.GetString(flash, at + VariableHeader, nameBytes).TrimEnd('\0');
            var value = flash.AsSpan(at + VariableHeader + nameBytes, valueBytes).ToArray();
            if (new Guid(header.Slice(44, 16)) == s_global && (header[2] == Valid || (header[2] == BeingReplaced && !found.ContainsKey(name))))
                found[name] = value;
            at = (at + VariableHeader + nameBytes + valueBytes + 3) & ~3;
        }
        return found;
    }

    /// <summary>The description of a <c>Boot####</c> variable.</summary>
    public static string Description(byte[] entry)
    {
        var text = Encoding.Unicode.GetString(entry, 6, entry.Length - 6);
        return text[..text.IndexOf('\0', StringComparison.Ordinal)];
    }

    /// <summary>Descriptions in boot order.</summary>
    public static IReadOnlyList<string> Order(IReadOnlyDictionary<string, byte[]> variables)
    {
        var order = variables.GetValueOrDefault("BootOrder", []);
        var names = new List<string>();
        for (var i = 0; i + 1 < order.Length; i += 2)
            names.Add($"Boot{BinaryPrimitives.ReadUInt16LittleEndian(order.AsSpan(i)):X4}");
        return [.. names.Select(n => variables.TryGetValue(n, out var entry) ? Description(entry) : n + " does not exist")];
    }
}
