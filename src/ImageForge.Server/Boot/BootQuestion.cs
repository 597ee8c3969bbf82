using System.Net;
using ImageForge.Contracts;
using ImageForge.Server.Hosts;

namespace ImageForge.Server.Boot;

/// <summary>What a machine says about itself when it asks how to boot. Anyone on the LAN can send one; nothing in it is proof.</summary>
/// <param name="Source">The address the question came from.</param>
internal sealed record BootQuestion(
    MacAddress Mac,
    IPAddress Source,
    string? Uuid = null,
    string? Serial = null,
    string? AssetTag = null,
    string? Manufacturer = null,
    string? Product = null,
    string? Architecture = null,
    string? Platform = null)
{
    /// <summary>Null when <paramref name="mac"/> names no machine.</summary>
    public static BootQuestion? Read(string mac, IPAddress source, IQueryCollection query) =>
        MacAddress.TryParse(mac, out var parsed) && parsed.IsUsable
            ? new BootQuestion(
                parsed,
                source,
                DeviceText.Limit(query["uuid"]),
                DeviceText.Limit(query["serial"]),
                DeviceText.Limit(query["asset"]),
                DeviceText.Limit(query["manufacturer"]),
                DeviceText.Limit(query["product"]),
                DeviceText.Limit(query["arch"]),
                DeviceText.Limit(query["platform"]))
            : null;

    public HostSighting Sighting() => new(Mac, Uuid, Serial, AssetTag, Manufacturer, Product, Architecture, Platform, Source.ToString());
}
