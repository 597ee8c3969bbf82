using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using ImageForge.Server.BootServices;

namespace ImageForge.Server.Multicasting;

/// <summary>An address of ours and how much of it names the network.</summary>
internal readonly record struct OwnAddress(IPAddress Address, int PrefixLength)
{
    public bool SameNetwork(IPAddress other)
    {
        if (other.AddressFamily != Address.AddressFamily)
            return false;
        Span<byte> a = stackalloc byte[16], b = stackalloc byte[16];
        Address.TryWriteBytes(a, out var length);
        other.TryWriteBytes(b, out _);
        for (var bit = 0; bit < PrefixLength && bit < length * 8; bit++)
        {
            if (((a[bit >> 3] ^ b[bit >> 3]) & (0x80 >> (bit & 7))) != 0)
                return false;
        }
        return true;
    }
}

/// <summary>A network interface that a session may send on.</summary>
/// <param name="Mtu">Bytes of an IP packet; 0: unknown.</param>
internal sealed record SendInterface(string Name, int Index, bool Up, int Mtu, IReadOnlyList<OwnAddress> Networks)
{
    /// <summary>By the settings, else the one that the boot services serve; null: none is chosen, or it does not exist.</summary>
    public static SendInterface? Chosen(MulticastSettings settings, BootServiceSettings boot) => (settings.Interface ?? boot.Interface) is { } name ? Find(name) : null;

    public static SendInterface? Find(string name) => All().FirstOrDefault(i => i.Name == name);

    public static IEnumerable<SendInterface> All() => NetworkInterface.GetAllNetworkInterfaces().Select(Of);

    public IPAddress? AddressOf(AddressFamily family) => Networks.FirstOrDefault(n => n.Address.AddressFamily == family).Address;

    /// <summary>Whether a machine with this address is in one of its networks, reached without a router.</summary>
    public bool IsNear(IPAddress address) => Networks.Any(n => n.SameNetwork(address));

    private static SendInterface Of(NetworkInterface network)
    {
        var properties = network.GetIPProperties();
        // A system without one of the families throws for it.
        var (index, mtu) = network.Supports(NetworkInterfaceComponent.IPv4) ? (properties.GetIPv4Properties().Index, properties.GetIPv4Properties().Mtu)
            : network.Supports(NetworkInterfaceComponent.IPv6) ? (properties.GetIPv6Properties().Index, properties.GetIPv6Properties().Mtu)
            : (0, 0);
        return new SendInterface(network.Name, index, network.OperationalStatus is OperationalStatus.Up or OperationalStatus.Unknown, mtu,
            [.. properties.UnicastAddresses.Select(static a => new OwnAddress(a.Address, a.PrefixLength))]);
    }
}
