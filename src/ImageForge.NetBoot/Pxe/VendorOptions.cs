using ImageForge.NetBoot.Dhcp;

namespace ImageForge.NetBoot.Pxe;

/// <summary>Option 43 as the PXE specification 2.1 §2.2.3 fills it: encapsulated options ending with 255.</summary>
internal static class VendorOptions
{
    private const byte DiscoveryControl = 6;
    private const byte BootItem = 71;

    /// <summary>
    /// PXE_DISCOVERY_CONTROL bit 3: "load the boot file named in this offer; no menu, no boot server discovery".
    /// For BIOS ROMs. Some UEFI firmware ignores an offer with it and all of it does the right thing without,
    /// asking again on port 4011.
    /// </summary>
    public static byte[] UseTheBootFile { get; } = [DiscoveryControl, 1, 8, 255];

    /// <summary>A boot server request names the menu item it wants; the ACK must repeat it (PXE 2.1 §2.2.4.3). Null when it named none.</summary>
    public static byte[]? RepeatBootItem(byte[]? request)
    {
        if (request is null)
            return null;
        var inner = new DhcpOptions();
        return DhcpPacketParser.TryReadOptions(request, inner, out _) && inner.Find((DhcpOptionCode)BootItem) is { Length: 4 } item
            ? [BootItem, 4, .. item, 255]
            : null;
    }
}
