using System.Runtime.Versioning;

[assembly: SupportedOSPlatform("linux")]

namespace ImageForge.NetBoot.Tests;

/// <summary>The payloads in Packets/: hexadecimal, lines with # are notes.</summary>
internal static class RealPackets
{
    public static IReadOnlyList<string> Names { get; } =
        [.. typeof(RealPackets).Assembly.GetManifestResourceNames().Order(StringComparer.Ordinal)];

    public static byte[] Load(string name)
    {
        using var stream = typeof(RealPackets).Assembly.GetManifestResourceStream(name) ?? throw new FileNotFoundException($"Packets/{name}.hex");
        var lines = new StreamReader(stream).ReadToEnd().Split('\n').Where(line => !line.StartsWith('#'));
        return Convert.FromHexString(string.Concat(lines));
    }

    /// <summary>Every DHCP (long) or every TFTP (short) payload.</summary>
    public static byte[][] Where(Func<byte[], bool> wanted) => [.. Names.Select(Load).Where(wanted)];
}
