namespace ImageForge.Server.Hosts;

/// <summary>Section <c>ImageForge:Boot</c>, the part that discovery needs.</summary>
internal sealed class HostsOptions
{
    /// <summary>At most this many hosts nobody approved; beyond it the one not seen for longest is forgotten.</summary>
    public int DiscoveredLimit { get; set; } = 10_000;
}
