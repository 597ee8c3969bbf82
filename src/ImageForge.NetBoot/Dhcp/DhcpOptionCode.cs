namespace ImageForge.NetBoot.Dhcp;

/// <summary>The options we read or write, by IANA's "BOOTP Vendor Extensions and DHCP Options" numbers.</summary>
public enum DhcpOptionCode : byte
{
    Pad = 0,
    SubnetMask = 1,
    Router = 3,
    DomainNameServer = 6,
    HostName = 12,
    VendorSpecific = 43,
    RequestedAddress = 50,
    LeaseTime = 51,
    /// <summary>Says that <c>file</c> and/or <c>sname</c> carry more options (RFC 2132 §9.3).</summary>
    Overload = 52,
    MessageType = 53,
    ServerIdentifier = 54,
    ParameterRequestList = 55,
    Message = 56,
    MaxMessageSize = 57,
    RenewalTime = 58,
    RebindingTime = 59,
    VendorClass = 60,
    ClientIdentifier = 61,
    TftpServerName = 66,
    BootFileName = 67,
    UserClass = 77,
    RelayAgentInformation = 82,
    ClientArchitecture = 93,
    NetworkInterfaceIdentifier = 94,
    ClientMachineIdentifier = 97,
    /// <summary>Etherboot/iPXE's encapsulated options (never assigned by IANA; iPXE's dhcp.h).</summary>
    Ipxe = 175,
    End = 255,
}
