using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace ImageForge.Contracts;

/// <summary>
/// A 48-bit Ethernet address. Accepts every form people paste (3c:ec:ef…, 3C-EC-EF…, 3cec.ef4c.4f54,
/// 3cecef4c4f54, 01-3c-ec-… as pxelinux's BOOTIF writes it) and always prints <c>3c:ec:ef:4c:4f:54</c>.
/// </summary>
public readonly record struct MacAddress
{
    private readonly ulong _value;

    public MacAddress(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length != 6)
            throw new ArgumentException($"a MAC address has 6 bytes, not {bytes.Length}", nameof(bytes));
        foreach (var b in bytes)
            _value = (_value << 8) | b;
    }

    /// <summary>All zero, broadcast or multicast addresses name no host.</summary>
    public bool IsUsable => _value != 0 && (_value >> 40 & 1) == 0;

    public void CopyTo(Span<byte> destination)
    {
        for (var i = 0; i < 6; i++)
            destination[i] = (byte)(_value >> (40 - 8 * i));
    }

    public static bool TryParse([NotNullWhen(true)] string? text, out MacAddress mac)
    {
        mac = default;
        if (text is null || text.Length > 24)
            return false;
        Span<byte> nibbles = stackalloc byte[16];
        var count = 0;
        foreach (var c in text)
        {
            if (c is ':' or '-' or '.')
                continue;
            if (!char.IsAsciiHexDigit(c) || count == nibbles.Length)
                return false;
            nibbles[count++] = (byte)int.Parse([c], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        }
        // BOOTIF prefixes the hardware type, 01 for Ethernet.
        var digits = nibbles[..count];
        if (count == 14 && digits[0] == 0 && digits[1] == 1)
            digits = digits[2..];
        if (digits.Length != 12)
            return false;
        Span<byte> bytes = stackalloc byte[6];
        for (var i = 0; i < 6; i++)
            bytes[i] = (byte)(digits[2 * i] << 4 | digits[2 * i + 1]);
        mac = new MacAddress(bytes);
        return true;
    }

    public static MacAddress Parse(string text) =>
        TryParse(text, out var mac) ? mac : throw new FormatException($"\"{text}\" is not a MAC address; write it as 3c:ec:ef:4c:4f:54");

    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{(byte)(_value >> 40):x2}:{(byte)(_value >> 32):x2}:{(byte)(_value >> 24):x2}:{(byte)(_value >> 16):x2}:{(byte)(_value >> 8):x2}:{(byte)_value:x2}");
}
