using ImageForge.NetBoot.Dhcp;

namespace ImageForge.NetBoot.Pxe;

/// <summary>
/// Option 175: options encapsulated in the DHCP format (code, length, bytes), by which iPXE tells its features.
/// 0x13 = HTTP is built in; 0xeb = version, three bytes major minor patch (iPXE's src/include/ipxe/features.h and dhcp.h).
/// </summary>
internal sealed record IpxeOptions(IpxeVersion? Version, bool HasHttp)
{
    private const byte HttpFeature = 0x13;
    private const byte VersionFeature = 0xeb;

    /// <summary>Null when absent or not well-formed.</summary>
    public static IpxeOptions? Read(byte[]? option)
    {
        if (option is null)
            return null;
        var inner = new DhcpOptions();
        if (!DhcpPacketParser.TryReadOptions(option, inner, out _) || inner.Count == 0)
            return null;
        IpxeVersion? version = inner.Find((DhcpOptionCode)VersionFeature) is [var major, var minor, var patch]
            ? new IpxeVersion(major, minor, patch)
            : null;
        return new IpxeOptions(version, inner.Find((DhcpOptionCode)HttpFeature) is [1]);
    }
}
