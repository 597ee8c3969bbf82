using System.Net;
using ImageForge.Contracts;
using ImageForge.Server.Hosts;
using Microsoft.AspNetCore.WebUtilities;

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
    public static BootQuestion? Read(string mac, IPAddress source, QueryString query)
    {
        if (!MacAddress.TryParse(mac, out var parsed) || !parsed.IsUsable)
            return null;
        var question = new BootQuestion(parsed, source.IsIPv4MappedToIPv6 ? source.MapToIPv4() : source);
        // Not the framework's parser: iPXE's uristring leaves "+" as it is, and that one reads it as a blank.
        foreach (var pair in new QueryStringEnumerable(query.Value))
        {
            var text = Unescape(pair.EncodedValue.Span);
            question = pair.EncodedName.Span switch
            {
                "uuid" => question with { Uuid = text },
                "serial" => question with { Serial = text },
                "asset" => question with { AssetTag = text },
                "manufacturer" => question with { Manufacturer = text },
                "product" => question with { Product = text },
                "arch" => question with { Architecture = text },
                "platform" => question with { Platform = text },
                _ => question,
            };
        }
        return question;
    }

    private static string? Unescape(ReadOnlySpan<char> value) =>
        value.Length > 1024 ? null : DeviceText.Limit(Uri.UnescapeDataString(value));

    public HostSighting Sighting() => new(Mac, Uuid, Serial, AssetTag, Manufacturer, Product, Architecture, Platform, Source.ToString());
}
