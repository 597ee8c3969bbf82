namespace ImageForge.Server.Boot;

/// <summary>
/// What may stand after <c>set name</c> in an iPXE script. iPXE expands <c>${…}</c>, cuts the line at white space and takes
/// the words <c>||</c> and <c>&amp;&amp;</c> as operators; everything else is plain text to it.
/// </summary>
internal static class ScriptValue
{
    public static bool IsSafe(string value)
    {
        if (value.Contains("${", StringComparison.Ordinal))
            return false;
        foreach (var c in value)
        {
            if (c is < ' ' or > '~')
                return false;
        }
        foreach (var word in value.Split(' '))
        {
            if (word is "||" or "&&")
                return false;
        }
        return true;
    }

    /// <summary>Free text for the machine's screen: every character that could mean something to iPXE becomes <c>?</c>.</summary>
    public static string Clean(string text) => string.Create(text.Length, text, static (span, source) =>
    {
        for (var i = 0; i < span.Length; i++)
            span[i] = char.IsAsciiLetterOrDigit(source[i]) || " .,:;()/_-+'".Contains(source[i]) ? source[i] : '?';
    });
}
