using System.Globalization;

namespace ImageForge.Imaging.Deploy;

/// <summary>Sizes in sentences: decimal units as on a disk's label, and exact bytes where two sizes are compared.</summary>
internal static class ByteText
{
    public static string Of(long bytes)
    {
        string[] units = ["bytes", "kB", "MB", "GB", "TB", "PB"];
        var unit = 0;
        var value = (double)bytes;
        for (; value >= 1000 && unit < units.Length - 1; unit++)
            value /= 1000;
        return string.Create(CultureInfo.InvariantCulture, $"{value:0.#} {units[unit]}");
    }

    public static string Exact(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes:N0} bytes ({Of(bytes)})");
}
