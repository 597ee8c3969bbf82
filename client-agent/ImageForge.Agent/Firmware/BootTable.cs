using System.Buffers.Binary;
using System.Globalization;

namespace ImageForge.Agent.Firmware;

/// <summary>The firmware's boot entries and their order, as values.</summary>
/// <param name="Entries">By their number.</param>
/// <param name="Order">Numbers, first tried first; may name entries that do not exist.</param>
/// <param name="Current">The entry this boot came from; null when the firmware does not say.</param>
internal sealed record BootTable(IReadOnlyDictionary<ushort, LoadOption> Entries, IReadOnlyList<ushort> Order, ushort? Current)
{
    public static BootTable Read(EfiVariables variables)
    {
        var entries = new SortedDictionary<ushort, LoadOption>();
        foreach (var name in variables.Names())
            if (NumberOf(name) is { } number && variables.Read(name) is { } value && LoadOption.Parse(value) is { } entry)
                entries[number] = entry;
        return new BootTable(entries, Numbers(variables.Read("BootOrder")), Numbers(variables.Read("BootCurrent")) is [var current, ..] ? current : null);
    }

    /// <summary><c>Boot000A</c>: four hexadecimal digits in upper case (UEFI 2.10 §3.1).</summary>
    public static string NameOf(ushort number) => string.Create(CultureInfo.InvariantCulture, $"Boot{number:X4}");

    public static byte[] ToBytes(IReadOnlyList<ushort> order)
    {
        var bytes = new byte[2 * order.Count];
        for (var i = 0; i < order.Count; i++)
            BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(2 * i), order[i]);
        return bytes;
    }

    private static ushort? NumberOf(string name) =>
        name.Length == 8 && name.StartsWith("Boot", StringComparison.Ordinal)
        && ushort.TryParse(name.AsSpan(4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var number) ? number : null;

    private static ushort[] Numbers(byte[]? value)
    {
        var numbers = new ushort[(value?.Length ?? 0) / 2];
        for (var i = 0; i < numbers.Length; i++)
            numbers[i] = BinaryPrimitives.ReadUInt16LittleEndian(value.AsSpan(2 * i));
        return numbers;
    }
}
