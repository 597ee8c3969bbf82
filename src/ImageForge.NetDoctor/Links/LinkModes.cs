using System.Buffers.Binary;

namespace ImageForge.NetDoctor.Links;

internal enum Duplex { Unknown, Half, Full }

/// <summary>
/// struct ethtool_link_settings (linux/ethtool.h, ETHTOOL_GLINKSETTINGS), host order:
/// 0 command u32   4 speed Mb/s u32 (0xffffffff: unknown)   8 duplex u8 (0 half, 1 full, 255 unknown)   9 port u8   10 PHY u8   11 autonegotiation u8
/// 12 MDIO u8 … 15 words of each mask i8   16 transceiver u8 … 48 masks: supported, advertised, of the partner; words u32 each.
/// </summary>
/// <param name="MegabitsPerSecond">Null: the card does not say.</param>
/// <param name="AutoNegotiation">Null: the card does not know the word.</param>
/// <param name="CouldDoGigabit">Both sides say they can 1000 Mb/s or more; null: not known.</param>
internal sealed record LinkModes(int? MegabitsPerSecond, Duplex Duplex, bool? AutoNegotiation, bool? CouldDoGigabit)
{
    internal const int HeaderLength = 48;
    private const uint Autonegotiation = 1 << 6;
    // Bits 4, 5 (1000BASE-T), 17 (1000BASE-KX), 41 (1000BASE-X) of the mode masks; faster ones imply these on copper.
    private const uint GigabitInWord0 = 1 << 4 | 1 << 5 | 1 << 17, GigabitInWord1 = 1 << (41 - 32);

    /// <summary>Null when the bytes are not such an answer.</summary>
    public static LinkModes? Parse(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < HeaderLength)
            return null;
        var words = (sbyte)bytes[15];
        if (words < 0 || bytes.Length < HeaderLength + words * 12)
            return null;
        var speed = BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]);
        var (supported, partner) = (Mask(bytes, words, 0), Mask(bytes, words, 2));
        return new LinkModes(
            // 0 is what some virtual cards say for "none".
            speed is 0 or > int.MaxValue ? null : (int)speed,
            bytes[8] switch { 0 => Duplex.Half, 1 => Duplex.Full, _ => Duplex.Unknown },
            (supported.Word0 & Autonegotiation) == 0 ? null : bytes[11] == 1,
            partner == default ? null : IsGigabit(supported) && IsGigabit(partner));
    }

    private static (uint Word0, uint Word1) Mask(ReadOnlySpan<byte> bytes, int words, int mask)
    {
        var at = bytes[(HeaderLength + 4 * mask * words)..];
        return (words > 0 ? BinaryPrimitives.ReadUInt32LittleEndian(at) : 0, words > 1 ? BinaryPrimitives.ReadUInt32LittleEndian(at[4..]) : 0);
    }

    private static bool IsGigabit((uint Word0, uint Word1) mask) => (mask.Word0 & GigabitInWord0) != 0 || (mask.Word1 & GigabitInWord1) != 0;
}
