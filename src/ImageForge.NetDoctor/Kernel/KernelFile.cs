using System.Globalization;

namespace ImageForge.NetDoctor.Kernel;

/// <summary>One value of /proc/sys or /sys. A file that is not there, or says "invalid" because the link is down, has none.</summary>
internal static class KernelFile
{
    public static string? Read(string path)
    {
        try
        {
            return File.ReadAllText(path).Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    public static long? ReadNumber(string path)
    {
        var text = Read(path);
        if (text is null)
            return null;
        return text.StartsWith("0x", StringComparison.Ordinal)
            ? long.TryParse(text.AsSpan(2), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var hex) ? hex : null
            : long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : null;
    }
}
