using System.Text;

namespace ImageForge.Server.Agents;

/// <summary>Sentences an agent sends: longer than device text, still bounded and without control characters.</summary>
internal static class AgentText
{
    public const int MaxSentence = 1000;

    public static string Limit(string? text, int max = MaxSentence)
    {
        if (string.IsNullOrEmpty(text))
            return "";
        var clean = new StringBuilder(Math.Min(text.Length, max));
        foreach (var rune in text.EnumerateRunes())
        {
            if (clean.Length + rune.Utf16SequenceLength > max)
                break;
            if (Rune.GetUnicodeCategory(rune) is System.Globalization.UnicodeCategory.Control or System.Globalization.UnicodeCategory.Format)
                clean.Append(' ');
            else
                clean.Append(rune.ToString());
        }
        return clean.ToString().Trim();
    }
}
