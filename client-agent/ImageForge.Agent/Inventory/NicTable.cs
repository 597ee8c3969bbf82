using ImageForge.Contracts;

namespace ImageForge.Agent.Inventory;

/// <summary>Ethernet devices from /sys/class/net: those with a device behind them, so no bridges, tunnels or loopback.</summary>
internal static class NicTable
{
    private const string Folder = "/sys/class/net";

    /// <summary>ARPHRD_ETHER of linux/if_arp.h.</summary>
    private const long Ethernet = 1;

    public static IReadOnlyList<NicInventory> Read(SystemRoot root, MacAddress? bootMac)
    {
        var nics = new List<NicInventory>();
        foreach (var name in root.Names(Folder))
        {
            var nic = $"{Folder}/{name}";
            if (!root.Exists($"{nic}/device") || root.Number($"{nic}/type") != Ethernet
                || !MacAddress.TryParse(root.Text($"{nic}/address"), out var mac) || !mac.IsUsable)
                continue;
            // carrier and speed cannot be read (EINVAL) while the device is down; speed is -1 where the driver does not know.
            var speed = root.Number($"{nic}/speed");
            nics.Add(new NicInventory(
                name,
                mac.ToString(),
                Driver(root, nic),
                speed is > 0 and < 10_000_000 ? (int)speed : null,
                root.Flag($"{nic}/carrier"),
                mac == bootMac));
        }
        return nics;
    }

    /// <summary>The MAC the server knows this boot by: BOOTIF, else the only NIC with a link, else the first.</summary>
    public static MacAddress? BootMac(IReadOnlyList<NicInventory> nics, MacAddress? fromCommandLine)
    {
        if (fromCommandLine is not null)
            return fromCommandLine;
        var best = nics.FirstOrDefault(n => n.LinkUp) ?? (nics.Count > 0 ? nics[0] : null);
        return best is null ? null : MacAddress.Parse(best.Mac);
    }

    private static string? Driver(SystemRoot root, string nic)
    {
        // device is itself a link, so only the last name of the target means anything here.
        var target = root.LinkTarget($"{nic}/device/driver");
        return target is null ? null : Path.GetFileName(target);
    }
}
