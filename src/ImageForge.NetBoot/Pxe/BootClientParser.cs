using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using ImageForge.NetBoot.Dhcp;

namespace ImageForge.NetBoot.Pxe;

/// <summary>Recognises a machine that wants to boot from the network by its DHCP options.</summary>
public static class BootClientParser
{
    internal const string PxeVendorClass = "PXEClient";
    internal const string HttpVendorClass = "HTTPClient";

    /// <summary>Null when the packet is from an ordinary DHCP client.</summary>
    public static BootClient? Read(DhcpPacket packet)
    {
        var vendorClass = Printable(packet.Options.Text(DhcpOptionCode.VendorClass) ?? "");
        var isHttp = vendorClass.StartsWith(HttpVendorClass, StringComparison.Ordinal);
        if (!isHttp && !vendorClass.StartsWith(PxeVendorClass, StringComparison.Ordinal))
            return null;

        var ipxe = IpxeOptions.Read(packet.Options.Find(DhcpOptionCode.Ipxe));
        return new BootClient(packet.Mac)
        {
            VendorClass = vendorClass,
            IsHttp = isHttp,
            Architecture = Architecture(packet.Options.Find(DhcpOptionCode.ClientArchitecture), vendorClass),
            IsIpxe = ipxe is not null || UserClass.Contains(packet.Options.Find(DhcpOptionCode.UserClass), "iPXE"),
            IpxeVersion = ipxe?.Version,
            IpxeHasHttp = ipxe?.HasHttp ?? false,
            Uuid = MachineIdentifier(packet.Options.Find(DhcpOptionCode.ClientMachineIdentifier)),
        };
    }

    /// <summary>Option 93 is a list of 16-bit numbers, the first is the one that boots (RFC 4578 §2.1). Without it, the vendor class "PXEClient:Arch:00007:…" says the same (PXE 2.1 §2.2.1).</summary>
    private static ClientArchitecture? Architecture(byte[]? option, string vendorClass)
    {
        if (option is { Length: >= 2 } && option.Length % 2 == 0)
            return (ClientArchitecture)BinaryPrimitives.ReadUInt16BigEndian(option);
        var parts = vendorClass.Split(':');
        return parts is [_, "Arch", { Length: 5 } number, ..] && ushort.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var value)
            ? (ClientArchitecture)value
            : null;
    }

    /// <summary>
    /// Option 97 is a type byte 0 and the 16 bytes of the SMBIOS UUID (RFC 4578 §2.3), whose first three fields are little-endian as in a .NET Guid.
    /// There are ROMs that omit it, and ROMs that send nonsense: both count as absent.
    /// </summary>
    private static Guid? MachineIdentifier(byte[]? option) =>
        option is [0, ..] && option.Length == 17 ? new Guid(option.AsSpan(1)) : null;

    /// <summary>This text reaches logs and screens: control characters and anything beyond ASCII are dots, and it is cut at 64.</summary>
    private static string Printable(string text)
    {
        var clean = new StringBuilder(Math.Min(text.Length, 64));
        foreach (var c in text.AsSpan(0, Math.Min(text.Length, 64)))
            clean.Append(c is >= ' ' and <= '~' ? c : '.');
        return clean.ToString();
    }
}
