using System.Net;
using ImageForge.Contracts;

namespace ImageForge.NetBoot.Dhcp;

/// <summary>One DHCP message (RFC 2131 §2), Ethernet and IPv4 only. Addresses that are absent are 0.0.0.0.</summary>
public sealed record DhcpPacket
{
    /// <summary>1 BOOTREQUEST, 2 BOOTREPLY.</summary>
    public required byte Operation { get; init; }
    public required DhcpMessageType Type { get; init; }
    public required MacAddress Mac { get; init; }
    public required uint TransactionId { get; init; }
    public byte Hops { get; init; }
    public ushort Seconds { get; init; }
    public ushort Flags { get; init; }
    /// <summary>ciaddr: the address the client has and answers ARP for.</summary>
    public IPAddress ClientAddress { get; init; } = IPAddress.Any;
    /// <summary>yiaddr: the address it is given.</summary>
    public IPAddress YourAddress { get; init; } = IPAddress.Any;
    /// <summary>siaddr: where the boot file is.</summary>
    public IPAddress NextServer { get; init; } = IPAddress.Any;
    /// <summary>giaddr: the relay agent it came through.</summary>
    public IPAddress RelayAddress { get; init; } = IPAddress.Any;
    /// <summary>sname, at most 63 bytes; empty when it carries overloaded options.</summary>
    public string ServerName { get; init; } = "";
    /// <summary>file, at most 127 bytes; empty when it carries overloaded options.</summary>
    public string File { get; init; } = "";
    /// <summary>Everything but option 53, which is <see cref="Type"/>, and 52, which is undone on reading.</summary>
    public DhcpOptions Options { get; init; } = new();

    /// <summary>The client cannot take unicast before it has an address (RFC 2131 §4.1).</summary>
    public bool WantsBroadcast => (Flags & BroadcastFlag) != 0;

    internal const ushort BroadcastFlag = 0x8000;
    internal const byte BootRequest = 1;
    internal const byte BootReply = 2;
}
