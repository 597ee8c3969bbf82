using System.Text.Json.Serialization;
using ImageForge.Contracts;
using ImageForge.Server.Configuration;

namespace ImageForge.Server.BootServices;

[JsonConverter(typeof(CamelCaseEnumConverter<DhcpMode>))]
internal enum DhcpMode
{
    Off,

    /// <summary>Beside the DHCP server that the network already has: only the boot file comes from us.</summary>
    Proxy,

    /// <summary>Addresses too, for a network that has no DHCP server.</summary>
    Full,
}

/// <summary>How the boot services run; changed at run time and kept in the database.</summary>
/// <param name="Interface">Name of the network interface they serve; null: all off.</param>
/// <param name="PoolFirst">First and last address of the pool, for <see cref="DhcpMode.Full"/> only.</param>
/// <param name="ChainloadIpxeOlderThan">See <see cref="BootServicesOptions.ChainloadIpxeOlderThan"/>.</param>
internal sealed record BootServiceSettings(
    string? Interface,
    DhcpMode Dhcp = DhcpMode.Proxy,
    string? PoolFirst = null,
    string? PoolLast = null,
    string? Gateway = null,
    IReadOnlyList<string>? Dns = null,
    int LeaseSeconds = 3600,
    bool Tftp = true,
    string ChainloadIpxeOlderThan = "")
{
    /// <exception cref="StartUpException">The configuration names no mode of ours.</exception>
    public static BootServiceSettings From(BootServicesOptions options) => new(
        string.IsNullOrWhiteSpace(options.Interface) ? null : options.Interface.Trim(),
        Enum.TryParse<DhcpMode>(options.Dhcp, ignoreCase: true, out var mode) && Enum.IsDefined(mode)
            ? mode
            : throw new StartUpException($"ImageForge:BootServices:Dhcp is \"{options.Dhcp}\"; write off, proxy or full."),
        options.PoolFirst,
        options.PoolLast,
        options.Gateway,
        options.Dns?.Split([',', ' '], StringSplitOptions.RemoveEmptyEntries) ?? [],
        options.LeaseSeconds,
        options.Tftp,
        options.ChainloadIpxeOlderThan);
}
