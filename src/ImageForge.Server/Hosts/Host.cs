using System.Text.Json.Serialization;
using ImageForge.Contracts;

namespace ImageForge.Server.Hosts;

/// <summary>Discovered: asked how to boot and nobody said yet that it is ours. Only an approved host gets jobs.</summary>
[JsonConverter(typeof(CamelCaseEnumConverter<HostState>))]
internal enum HostState { Discovered, Approved }

/// <summary>A machine, identified by any of its MACs. Strings other than Name and LocalBoot come from the device: untrusted text.</summary>
/// <param name="Platform"><c>pcbios</c> or <c>efi</c> as iPXE writes it.</param>
/// <param name="LocalBoot">How this host boots its own disk where the default does not work: a script name; null: the default.</param>
internal sealed record Host(
    long Id,
    string Name,
    HostState State,
    IReadOnlyList<MacAddress> Macs,
    string? Uuid,
    string? Serial,
    string? AssetTag,
    string? Manufacturer,
    string? Product,
    string? Architecture,
    string? Platform,
    string? LocalBoot,
    DateTimeOffset CreatedAt,
    DateTimeOffset? LastSeenAt,
    string? LastSeenAddress);

/// <summary>One boot question, as heard. Strings are already limited (<see cref="DeviceText"/>).</summary>
internal sealed record HostSighting(
    MacAddress Mac,
    string? Uuid,
    string? Serial,
    string? AssetTag,
    string? Manufacturer,
    string? Product,
    string? Architecture,
    string? Platform,
    string Address);
