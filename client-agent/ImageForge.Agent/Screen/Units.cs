using System.Globalization;
using ImageForge.Contracts;

namespace ImageForge.Agent.Screen;

internal static class Units
{
    public static string MiB(long bytes) => (bytes / (1024.0 * 1024)).ToString("0", CultureInfo.InvariantCulture);

    public static string Rate(double bytesPerSecond) => (bytesPerSecond / (1024 * 1024)).ToString("0", CultureInfo.InvariantCulture) + " MiB/s";

    /// <summary>Disks are sold in powers of ten: 512 GB, 2.0 TB.</summary>
    public static string DiskSize(long bytes) => bytes switch
    {
        >= 1_000_000_000_000 => (bytes / 1e12).ToString("0.0", CultureInfo.InvariantCulture) + " TB",
        >= 10_000_000_000 => (bytes / 1e9).ToString("0", CultureInfo.InvariantCulture) + " GB",
        >= 1_000_000_000 => (bytes / 1e9).ToString("0.0", CultureInfo.InvariantCulture) + " GB",
        _ => (bytes / 1e6).ToString("0", CultureInfo.InvariantCulture) + " MB",
    };

    public static string Disk(DiskInventory disk) =>
        $"{disk.Name}: {disk.Model ?? "disk"}, {DiskSize(disk.SizeBytes)}, serial {disk.Serial ?? "unknown"}";

    public static string Duration(TimeSpan time) => time.TotalHours >= 1
        ? $"{(int)time.TotalHours}:{time.Minutes:00}:{time.Seconds:00}"
        : $"{time.Minutes}:{time.Seconds:00}";

    public static string Name(Enum value)
    {
        var name = value.ToString();
        return char.ToLowerInvariant(name[0]) + name[1..];
    }

    /// <summary>Device and server text on its way to a terminal: no control characters, nothing the console font lacks.</summary>
    public static string Printable(string text) =>
        string.Create(text.Length, text, (span, source) =>
        {
            for (var i = 0; i < span.Length; i++)
                span[i] = source[i] switch { '…' => '~', '–' or '—' => '-', >= ' ' and <= '~' => source[i], var c when char.IsLetter(c) && c < 0x180 => c, _ => '?' };
        });
}
