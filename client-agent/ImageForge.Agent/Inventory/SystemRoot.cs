using System.Globalization;

namespace ImageForge.Agent.Inventory;

/// <summary>
/// The root under which /sys and /proc are read: "/" on a machine, a recorded tree in tests.
/// Everything read is device text: untrusted, possibly binary, possibly absent, possibly an error when read.
/// </summary>
internal sealed class SystemRoot(string root)
{
    private const int LongestText = 128;

    public string Path(string absolute) => System.IO.Path.Combine(root, absolute.TrimStart('/'));

    /// <summary>The attribute's text, trimmed and without control characters, at most 128 characters; null when absent, unreadable or empty.</summary>
    public string? Text(string absolute)
    {
        var bytes = Bytes(absolute, 4 * LongestText);
        return bytes is null ? null : Clean(bytes);
    }

    public long? Number(string absolute) =>
        long.TryParse(Text(absolute), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : null;

    public bool Flag(string absolute) => Number(absolute) is > 0;

    /// <summary>At most <paramref name="most"/> bytes of a file; null when it cannot be read. Reading a sysfs attribute may fail with EIO or EINVAL.</summary>
    public byte[]? Bytes(string absolute, int most)
    {
        try
        {
            using var file = new FileStream(Path(absolute), FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
            var buffer = new byte[most];
            var length = file.ReadAtLeast(buffer, most, throwOnEndOfStream: false);
            return buffer[..length];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            return null;
        }
    }

    public IReadOnlyList<string> Lines(string absolute, int mostBytes)
    {
        var bytes = Bytes(absolute, mostBytes);
        return bytes is null ? [] : System.Text.Encoding.UTF8.GetString(bytes).Split('\n');
    }

    public bool Exists(string absolute) => System.IO.Path.Exists(Path(absolute));

    /// <summary>Names in a folder, sorted; empty when there is none.</summary>
    public IReadOnlyList<string> Names(string absolute)
    {
        try
        {
            return [.. Directory.EnumerateFileSystemEntries(Path(absolute)).Select(System.IO.Path.GetFileName).OfType<string>().Order(StringComparer.Ordinal)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    /// <summary>Where a symbolic link in a real folder (such as /sys/block) points, as an absolute path inside the root; null when it is not a link.</summary>
    public string? LinkTarget(string absolute)
    {
        try
        {
            var link = new FileInfo(Path(absolute));
            if (link.LinkTarget is not { } target)
                return null;
            var full = System.IO.Path.GetFullPath(target, System.IO.Path.GetDirectoryName(link.FullName)!);
            var top = System.IO.Path.GetFullPath(root);
            return full.StartsWith(top, StringComparison.Ordinal) ? "/" + full[top.Length..].TrimStart('/') : full;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Printable ASCII and letters of other scripts survive; runs of white space become one space. Null when nothing is left.</summary>
    public static string? Clean(ReadOnlySpan<byte> bytes) => Clean(System.Text.Encoding.UTF8.GetString(bytes));

    /// <inheritdoc cref="Clean(ReadOnlySpan{byte})"/>
    public static string? Clean(string text)
    {
        var clean = new System.Text.StringBuilder(Math.Min(text.Length, LongestText));
        foreach (var c in text)
        {
            var kept = char.IsControl(c) || char.IsWhiteSpace(c) || c == '\uFFFD' || char.IsSurrogate(c) ? ' ' : c;
            if (kept == ' ' && (clean.Length == 0 || clean[^1] == ' '))
                continue;
            if (clean.Length == LongestText)
                break;
            clean.Append(kept);
        }
        var result = clean.ToString().TrimEnd();
        return result.Length == 0 ? null : result;
    }
}
