using System.Net;
using System.Net.Sockets;
using ImageForge.NetBoot.Pxe;

namespace ImageForge.Server.BootServices;

/// <param name="Code">lowerCamel, for programs.</param>
internal sealed record SettingsFault(string Code, string Sentence, string Cure);

/// <summary>Whether settings make sense before anything is sent on a network with them.</summary>
internal static class BootServiceSettingsRules
{
    /// <summary>Null when they do.</summary>
    public static SettingsFault? Check(BootServiceSettings settings)
    {
        if (settings.LeaseSeconds is < 60 or > 30 * 24 * 3600)
            return new("leaseTime", $"A lease of {settings.LeaseSeconds} s is out of range.", "Choose between 60 s and 30 days.");
        if (settings.ChainloadIpxeOlderThan is null || (settings.ChainloadIpxeOlderThan.Length > 0 && !IpxeVersion.TryParse(settings.ChainloadIpxeOlderThan, out _)))
            return new("ipxeVersion", $"\"{settings.ChainloadIpxeOlderThan}\" is not an iPXE version.", "Write it as 1.21.1, leave it empty for the version of our own boot files, or write 0 for never.");
        if (string.IsNullOrEmpty(settings.Interface))
            return null;
        BootInterface on;
        try
        {
            on = BootInterface.Find(settings.Interface);
        }
        catch (BootServiceRefusal refusal)
        {
            return new("interface", refusal.Message, refusal.Cure);
        }
        return settings.Dhcp == DhcpMode.Full ? Pool(settings, on) : null;
    }

    /// <summary>The pool against the interface it is for.</summary>
    public static SettingsFault? Pool(BootServiceSettings settings, BootInterface on)
    {
        if (!TryParse(settings.PoolFirst, out var first) || !TryParse(settings.PoolLast, out var last))
            return new("pool", "The full DHCP server needs a pool of IPv4 addresses.", $"Give the first and the last address, in the network of {on.Name}, where {on.Address} is this server.");
        if (!on.Contains(first) || !on.Contains(last))
            return new("pool", $"The pool {first} to {last} is not in the network of {on.Name}, where this server is {on.Address} with mask {on.Mask}.", "Choose addresses of that network.");
        if (Number(first) > Number(last))
            return new("pool", $"The pool ends at {last}, before its first address {first}.", "Swap them.");
        if (!string.IsNullOrEmpty(settings.Gateway) && !(TryParse(settings.Gateway, out var gateway) && on.Contains(gateway)))
            return new("gateway", $"The gateway {settings.Gateway} is not an address in the network of {on.Name}.", "Give the router's address in that network, or none.");
        if (settings.Dns?.FirstOrDefault(d => !TryParse(d, out _)) is { } bad)
            return new("dns", $"\"{bad}\" is not an IPv4 address.", "Give name servers by address.");
        return null;
    }

    private static bool TryParse(string? text, out IPAddress address) =>
        IPAddress.TryParse(text, out address!) && address.AddressFamily == AddressFamily.InterNetwork;

    private static uint Number(IPAddress address) => System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(address.GetAddressBytes());
}
