using System.Globalization;
using System.Net;
using System.Net.NetworkInformation;

namespace ImageForge.MulticastPeer;

/// <summary><c>--name value</c> pairs behind the command.</summary>
internal sealed class PeerOptions(string[] args)
{
    public string this[string name] => Find(name) ?? throw new ArgumentException($"--{name} is missing");

    public string? Find(string name)
    {
        var at = Array.IndexOf(args, "--" + name);
        return at < 0 ? null : args[at + 1];
    }

    public double Number(string name, double otherwise) => Find(name) is { } text ? double.Parse(text, CultureInfo.InvariantCulture) : otherwise;

    public IPEndPoint Address(string name) => IPEndPoint.Parse(this[name]);

    /// <summary>The index of <c>eth0</c>, which is every namespace's way out.</summary>
    public static int InterfaceIndex => NetworkInterface.GetAllNetworkInterfaces().First(nic => nic.Name == "eth0").GetIPProperties().GetIPv4Properties().Index;
}
