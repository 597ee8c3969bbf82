using System.Text;

namespace ImageForge.Server.Boot;

/// <summary>
/// One file of <c>ipxe-scripts/</c>: valid iPXE as it stands, with a block of <c>set name value</c> lines whose values the server replaces.
/// </summary>
internal sealed class ScriptTemplate
{
    public const string SettingsBegin = "# ---- settings: the server replaces the values of these lines ----";
    public const string SettingsEnd = "# ---- end of settings ----";

    // Text, then the value of a setting, then text … ; comments are dropped: the machine downloads this.
    private readonly List<(string Text, string? Setting)> _pieces = [];

    private ScriptTemplate() { }

    public IEnumerable<string> Settings => _pieces.Where(p => p.Setting is not null).Select(p => p.Setting!);

    /// <exception cref="FormatException">The text is not a template; the message says what to repair.</exception>
    public static ScriptTemplate Parse(string name, string text)
    {
        if (!text.StartsWith("#!ipxe\n", StringComparison.Ordinal))
            throw new FormatException($"{name} does not begin with the line #!ipxe, so no iPXE would run it");
        var template = new ScriptTemplate();
        var pending = new StringBuilder("#!ipxe\n");
        var inSettings = false;
        var seenSettings = false;
        foreach (var raw in text["#!ipxe\n".Length..].Split('\n'))
        {
            var line = raw.TrimEnd();
            if (line == SettingsBegin)
                (inSettings, seenSettings) = (true, true);
            else if (line == SettingsEnd)
                inSettings = false;
            else if (line.Length == 0 || line[0] == '#')
                continue;
            else if (inSettings)
            {
                var words = line.Split(' ', 3);
                if (words.Length < 2 || words[0] != "set")
                    throw new FormatException($"{name}: the settings block holds \"{line}\", which is not a set line");
                template._pieces.Add(($"{pending}set {words[1]} ", words[1]));
                pending.Clear().Append('\n');
            }
            else
                pending.Append(line).Append('\n');
        }
        if (!seenSettings || inSettings)
            throw new FormatException($"{name} has no settings block between \"{SettingsBegin}\" and \"{SettingsEnd}\"");
        template._pieces.Add((pending.ToString(), null));
        return template;
    }

    /// <exception cref="ArgumentException">A setting has no value, or its value would be read by iPXE as more than a value.</exception>
    public string Render(IReadOnlyDictionary<string, string> values)
    {
        var script = new StringBuilder(2048);
        foreach (var (text, setting) in _pieces)
        {
            script.Append(text);
            if (setting is null)
                continue;
            if (!values.TryGetValue(setting, out var value))
                throw new ArgumentException($"the script wants a value for {setting}");
            if (!ScriptValue.IsSafe(value))
                throw new ArgumentException($"the value of {setting} would change the script");
            script.Append(value);
        }
        return script.ToString();
    }
}
