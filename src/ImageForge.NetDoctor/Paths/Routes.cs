using System.Globalization;
using System.Net;

namespace ImageForge.NetDoctor.Paths;

/// <summary>
/// Default routes of /proc/net/route: interface, destination, gateway, flags, …, metric at 6; addresses as hexadecimal digits of the number
/// in host order, so that on our machines the last byte comes first.
/// </summary>
internal static class Routes
{
    /// <summary>The best default route, if there is one.</summary>
    public static (string Interface, IPAddress? Gateway)? Default(string text, string? on = null) =>
        Read(text).Where(r => on is null || r.Interface == on).OrderBy(r => r.Metric).Select(r => ((string, IPAddress?)?)(r.Interface, r.Gateway)).FirstOrDefault();

    private static IEnumerable<(string Interface, IPAddress? Gateway, int Metric)> Read(string text)
    {
        foreach (var line in text.Split('\n').Skip(1))
        {
            var fields = line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            if (fields.Length < 8 || fields[1] != "00000000" || fields[7] != "00000000"
                || !uint.TryParse(fields[2], NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var gateway)
                || !int.TryParse(fields[6], CultureInfo.InvariantCulture, out var metric))
                continue;
            yield return (fields[0], gateway == 0 ? null : new IPAddress(gateway), metric);
        }
    }
}
