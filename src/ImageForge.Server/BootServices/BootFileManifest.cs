using System.Text.Json;
using ImageForge.NetBoot.Pxe;

namespace ImageForge.Server.BootServices;

/// <summary><c>boot-files.json</c> beside the iPXE binaries: <c>{"ipxeVersion":"1.21.1","source":…,"files":[…]}</c>.</summary>
internal static class BootFileManifest
{
    /// <summary>The version our own iPXE reports of itself; null when the file is missing or says nothing usable.</summary>
    public static IpxeVersion? ReadIpxeVersion(string folder)
    {
        try
        {
            using var json = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "boot-files.json")));
            return json.RootElement.ValueKind == JsonValueKind.Object
                && json.RootElement.TryGetProperty("ipxeVersion", out var text) && text.ValueKind == JsonValueKind.String
                && IpxeVersion.TryParse(text.GetString(), out var version) ? version : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            return null;
        }
    }
}
