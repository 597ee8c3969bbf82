using System.Globalization;
using ImageForge.NetDoctor.Kernel;

namespace ImageForge.NetDoctor.Links;

/// <summary>One look at an interface: /sys/class/net (Documentation/ABI/testing/sysfs-class-net) and the driver.</summary>
/// <param name="Up">Switched on by this machine.</param>
/// <param name="Carrier">The cable's other end is alive; null: not known while down.</param>
/// <param name="Counters">Errors and drops since the interface exists, by the kernel's names.</param>
internal sealed record LinkState(string Name, int Index, bool Up, bool? Carrier, bool CanMulticast, bool IsLoopback, int Mtu, LinkModes? Modes, IReadOnlyDictionary<string, long> Counters)
{
    private const long UpFlag = 1, LoopbackFlag = 8, MulticastFlag = 0x1000;

    private static readonly string[] s_counters =
        ["rx_errors", "rx_crc_errors", "rx_frame_errors", "rx_dropped", "rx_missed_errors", "rx_fifo_errors", "tx_errors", "tx_dropped", "tx_carrier_errors", "collisions"];

    /// <summary>Null: there is no such interface.</summary>
    public static LinkState? Read(string name, string sys = "/sys/class/net")
    {
        var folder = Path.Combine(sys, name);
        if (name.Length is 0 or > 15 || name.Contains('/', StringComparison.Ordinal) || name.StartsWith('.') || !Directory.Exists(folder))
            return null;
        long Number(string file) => KernelFile.ReadNumber(Path.Combine(folder, file)) ?? 0;
        var flags = Number("flags");
        var counters = s_counters.ToDictionary(c => c, c => Number($"statistics/{c}"));
        counters["carrier_changes"] = Number("carrier_changes");
        var carrier = KernelFile.ReadNumber(Path.Combine(folder, "carrier"));
        return new LinkState(
            name, (int)Number("ifindex"), (flags & UpFlag) != 0, carrier is { } c ? c != 0 : null, (flags & MulticastFlag) != 0, (flags & LoopbackFlag) != 0,
            (int)Number("mtu"), LinkSettings.Read(name) ?? FromSysfs(folder), counters);
    }

    private static LinkModes? FromSysfs(string folder)
    {
        var speed = KernelFile.ReadNumber(Path.Combine(folder, "speed"));
        var duplex = KernelFile.Read(Path.Combine(folder, "duplex")) switch { "half" => Duplex.Half, "full" => Duplex.Full, _ => Duplex.Unknown };
        return speed is null && duplex == Duplex.Unknown ? null : new LinkModes(speed is > 0 ? (int)speed : null, duplex, null, null);
    }

    public string Describe() => Modes is { MegabitsPerSecond: { } speed }
        ? string.Create(CultureInfo.InvariantCulture, $"{speed} Mb/s, {(Modes.Duplex == Duplex.Unknown ? "duplex unknown" : $"{Modes.Duplex.ToString().ToLowerInvariant()} duplex")}")
        : "speed unknown";
}
