using System.Globalization;
using System.Numerics;

namespace ImageForge.Cli.Output;

/// <summary>Sizes as people read and write them.</summary>
internal static class Sizes
{
    private static readonly string[] s_units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

    public static string Text(long bytes)
    {
        var unit = bytes < 1024 ? 0 : Math.Min(BitOperations.Log2((ulong)bytes) / 10, s_units.Length - 1);
        return string.Create(CultureInfo.InvariantCulture, $"{bytes / Math.Pow(1024, unit):0.#} {s_units[unit]}");
    }

    public static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);

    /// <summary><c>64GiB</c>, <c>500GB</c>, <c>64G</c> (binary), <c>4096</c>.</summary>
    public static bool TryParse(string text, out long bytes)
    {
        bytes = 0;
        var digits = text.TakeWhile(c => char.IsAsciiDigit(c) || c == '.').Count();
        if (!decimal.TryParse(text.AsSpan(0, digits), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number))
            return false;
        decimal? factor = text[digits..].Trim().ToUpperInvariant() switch
        {
            "" or "B" => 1,
            "K" or "KIB" => 1L << 10,
            "M" or "MIB" => 1L << 20,
            "G" or "GIB" => 1L << 30,
            "T" or "TIB" => 1L << 40,
            "KB" => 1_000,
            "MB" => 1_000_000,
            "GB" => 1_000_000_000,
            "TB" => 1_000_000_000_000,
            _ => null,
        };
        if (factor is null || number * factor > 1L << 50)
            return false;
        bytes = (long)(number * factor.Value);
        return true;
    }
}
