using System.Globalization;
using System.Text;

namespace ImageForge.Server.Hosts;

/// <summary>Text that a device told us: anyone on the LAN can write it, so it is cut and cleaned before it is kept or logged.</summary>
internal static class DeviceText
{
    public const int MaxLength = 128;

    /// <summary>At most 128 characters without control, format and bidirectional-override characters; null when nothing is left.</summary>
    public static string? Limit(string? text)
    {
        if (string.IsNullOrWhiteSpace(text))
            return null;
        // Nearly all of it is plain ASCII, and a boot question brings eight of these.
        if (text.Length <= MaxLength && !text.AsSpan().ContainsAnyExceptInRange(' ', '~'))
            return text.Trim();
        var clean = new StringBuilder(Math.Min(text.Length, MaxLength));
        foreach (var rune in text.EnumerateRunes())
        {
            if (Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator
                or UnicodeCategory.ParagraphSeparator or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned)
                continue;
            if (clean.Length + rune.Utf16SequenceLength > MaxLength)
                break;
            clean.Append(rune.ToString());
        }
        var result = clean.ToString().Trim();
        return result.Length == 0 ? null : result;
    }
}
