using ImageForge.Contracts;

namespace ImageForge.NetBoot.Pxe;

/// <summary>A machine that asks the network how to boot, as its DHCP packet describes it. Everything here can be forged.</summary>
public sealed record BootClient(MacAddress Mac)
{
    /// <summary>Option 93; null when the ROM left it out.</summary>
    public ClientArchitecture? Architecture { get; init; }

    /// <summary>User class (option 77) says iPXE, or it sent iPXE's encapsulated option 175.</summary>
    public bool IsIpxe { get; init; }

    /// <summary>From option 175 sub-option 0xeb; null when it is not iPXE or does not say.</summary>
    public IpxeVersion? IpxeVersion { get; init; }

    /// <summary>iPXE lists HTTP (sub-option 0x13) among its features.</summary>
    public bool IpxeHasHttp { get; init; }

    /// <summary>UEFI HTTP boot: vendor class <c>HTTPClient…</c>. The boot file must then be a URL.</summary>
    public bool IsHttp { get; init; }

    /// <summary>Option 97 in SMBIOS byte order, the form dmidecode prints; null when omitted.</summary>
    public Guid? Uuid { get; init; }

    /// <summary>Option 60 as sent, for example <c>PXEClient:Arch:00007:UNDI:003016</c>.</summary>
    public string VendorClass { get; init; } = "";
}
