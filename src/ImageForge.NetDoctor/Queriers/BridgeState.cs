namespace ImageForge.NetDoctor.Queriers;

/// <summary>A Linux bridge of this machine: the interface itself, or what it is a port of. From /sys/class/net/*/bridge.</summary>
/// <param name="PortFloods">Of a port: multicast that nobody asked for is sent there, too.</param>
internal sealed record BridgeState(string Name, bool IsPort, bool Snooping, bool Querier, bool? PortFloods)
{
    /// <summary>Null: neither a bridge nor a port of one.</summary>
    public static BridgeState? Read(string interfaceName, string sys = "/sys/class/net")
    {
        var port = Path.Combine(sys, interfaceName, "brport");
        var isPort = Directory.Exists(port);
        var bridge = Path.Combine(sys, interfaceName, isPort ? "brport/bridge/bridge" : "bridge");
        if (!Directory.Exists(bridge))
            return null;
        var name = isPort && Directory.ResolveLinkTarget(Path.Combine(port, "bridge"), returnFinalTarget: true) is { } target ? target.Name : interfaceName;
        // A kernel built without snooping has no such files: it floods.
        return new BridgeState(name, isPort, Is(bridge, "multicast_snooping") ?? false, Is(bridge, "multicast_querier") ?? false, isPort ? Is(port, "multicast_flood") : null);
    }

    private static bool? Is(string folder, string file) =>
        Kernel.KernelFile.ReadNumber(Path.Combine(folder, file)) is { } value ? value != 0 : null;
}
