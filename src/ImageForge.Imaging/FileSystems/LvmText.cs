using System.Globalization;
using System.Text;

namespace ImageForge.Imaging.FileSystems;

/// <summary>
/// The text LVM2 keeps its metadata in: <c>name = value</c> and <c>name { … }</c>, where a value is a number, a text in double quotes
/// or a list in brackets, and <c>#</c> begins a comment (lvm2, <c>libdm/libdm-config.c</c>). Bounded by the length of the text and by <see cref="MaxDepth"/>.
/// </summary>
internal sealed class LvmText
{
    /// <summary>Group, logical volumes, volume, segment: four deep in what LVM2 writes.</summary>
    private const int MaxDepth = 8;

    private readonly string _text;
    private int _at;

    private LvmText(string text) => _text = text;

    /// <exception cref="DamagedVolumeException">It is not such a text.</exception>
    public static LvmSection Parse(ReadOnlySpan<byte> bytes)
    {
        var end = bytes.IndexOf((byte)0);
        var parser = new LvmText(Encoding.UTF8.GetString(end < 0 ? bytes : bytes[..end]));
        var root = parser.Section(0);
        if (parser.Peek() != '\0')
            throw Garbled();
        return root;
    }

    private LvmSection Section(int depth)
    {
        if (depth > MaxDepth)
            throw Garbled();
        var section = new LvmSection();
        while (Peek() is not ('\0' or '}'))
        {
            var name = Name();
            switch (Peek())
            {
                case '{':
                    _at++;
                    var inner = Section(depth + 1);
                    Expect('}');
                    if (!section.Sections.TryAdd(name, inner))
                        throw Garbled();
                    break;
                case '=':
                    _at++;
                    section.Values[name] = Values();
                    break;
                default:
                    throw Garbled();
            }
        }
        return section;
    }

    /// <summary>A list, or one value as a list of one.</summary>
    private List<object> Values()
    {
        if (Peek() != '[')
            return [Value()];
        _at++;
        var values = new List<object>();
        while (Peek() != ']')
        {
            values.Add(Value());
            if (Peek() == ',')
                _at++;
        }
        _at++;
        return values;
    }

    private object Value()
    {
        var first = Peek();
        if (first == '"')
            return Quoted();
        var start = _at;
        while (_at < _text.Length && (char.IsAsciiDigit(_text[_at]) || _text[_at] is '-' or '+' or '.'))
            _at++;
        var word = _text.AsSpan(start, _at - start);
        if (long.TryParse(word, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number))
            return number;
        return double.TryParse(word, NumberStyles.Float, CultureInfo.InvariantCulture, out var fraction) ? fraction : throw Garbled();
    }

    private string Quoted()
    {
        var text = new StringBuilder();
        for (_at++; _at < _text.Length; _at++)
        {
            if (_text[_at] == '"')
            {
                _at++;
                return text.ToString();
            }
            if (_text[_at] == '\\' && _at + 1 < _text.Length)
                _at++;
            text.Append(_text[_at]);
        }
        throw Garbled();
    }

    private string Name()
    {
        Peek();
        var start = _at;
        while (_at < _text.Length && (char.IsAsciiLetterOrDigit(_text[_at]) || _text[_at] is '_' or '.' or '+' or '-' or '/' or '#' && _at > start))
            _at++;
        return _at > start ? _text[start.._at] : throw Garbled();
    }

    private void Expect(char mark)
    {
        if (Peek() != mark)
            throw Garbled();
        _at++;
    }

    /// <summary>The next character that is neither space nor comment; 0 at the end.</summary>
    private char Peek()
    {
        while (_at < _text.Length)
        {
            if (_text[_at] == '#')
                while (_at < _text.Length && _text[_at] != '\n')
                    _at++;
            else if (char.IsWhiteSpace(_text[_at]))
                _at++;
            else
                return _text[_at];
        }
        return '\0';
    }

    private static DamagedVolumeException Garbled() => new("its metadata text is garbled");
}

/// <summary>Values are lists of <see cref="long"/>, <see cref="double"/> or <see cref="string"/>; a single value is a list of one.</summary>
internal sealed class LvmSection
{
    public Dictionary<string, LvmSection> Sections { get; } = [];

    public Dictionary<string, List<object>> Values { get; } = [];

    /// <summary>Empty if it is not there.</summary>
    public IReadOnlyDictionary<string, LvmSection> Inside(string name) =>
        Sections.TryGetValue(name, out var section) ? section.Sections : new Dictionary<string, LvmSection>();

    /// <exception cref="DamagedVolumeException">It is not there, negative, or larger than 2⁴⁸.</exception>
    public long Number(string name) =>
        Values.TryGetValue(name, out var values) && values is [long number] && number is >= 0 and <= 1L << 48
            ? number
            : throw new DamagedVolumeException($"its metadata text has no sound {name}");

    public string? Text(string name) => Values.TryGetValue(name, out var values) && values is [string text] ? text : null;

    public IReadOnlyList<string> Texts(string name) => Values.TryGetValue(name, out var values) ? [.. values.OfType<string>()] : [];
}
