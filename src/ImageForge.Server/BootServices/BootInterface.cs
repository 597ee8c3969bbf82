using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace ImageForge.Server.BootServices;

/// <summary>The interface that is served: its name, our IPv4 address on it and the mask.</summary>
/// <param name="Index">The kernel's number: another one under the same name is another interface, which no socket of ours is bound to.</param>
internal sealed record BootInterface(string Name, IPAddress Address, IPAddress Mask, int Index)
{
    /// <exception cref="BootServiceRefusal">There is no such interface, or it has no IPv4 address.</exception>
    public static BootInterface Find(string name)
    {
        var all = NetworkInterface.GetAllNetworkInterfaces();
        var found = all.FirstOrDefault(i => i.Name == name) ?? throw new BootServiceRefusal(
            $"There is no network interface {name}; this machine has {string.Join(", ", all.Select(i => i.Name))}.",
            "Choose one of these with --interface or on the settings page.");
        var address = found.GetIPProperties().UnicastAddresses.FirstOrDefault(a => a.Address.AddressFamily == AddressFamily.InterNetwork)
            ?? throw new BootServiceRefusal(
                $"The interface {name} has no IPv4 address{(found.OperationalStatus == OperationalStatus.Up ? "" : " and is down")}.",
                $"Connect it and give it a fixed address, for example `ip address add 10.20.0.1/24 dev {name}`; the service starts by itself as soon as it has one.");
        return new BootInterface(name, address.Address, address.IPv4Mask, found.GetIPProperties().GetIPv4Properties().Index);
    }

    public bool Contains(IPAddress address) =>
        address.AddressFamily == AddressFamily.InterNetwork
        && Address.GetAddressBytes().Zip(address.GetAddressBytes(), Mask.GetAddressBytes()).All(b => ((b.First ^ b.Second) & b.Third) == 0);
}
