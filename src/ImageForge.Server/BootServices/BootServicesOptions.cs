namespace ImageForge.Server.BootServices;

/// <summary>Section <c>ImageForge:BootServices</c>: the defaults until someone saves settings of their own, and the ports.</summary>
internal sealed class BootServicesOptions
{
    public const string Section = "ImageForge:BootServices";

    /// <summary>Null or empty: no boot service runs.</summary>
    public string? Interface { get; set; }

    /// <summary><c>off</c>, <c>proxy</c> or <c>full</c>.</summary>
    public string Dhcp { get; set; } = "proxy";

    public string? PoolFirst { get; set; }
    public string? PoolLast { get; set; }
    public string? Gateway { get; set; }

    /// <summary>Name servers, separated by commas or blanks.</summary>
    public string? Dns { get; set; }

    public int LeaseSeconds { get; set; } = 3600;
    public bool Tftp { get; set; } = true;

    /// <summary>An iPXE older than this is first given our own; empty: older than our own boot files; 0: none is.</summary>
    public string ChainloadIpxeOlderThan { get; set; } = "";

    // Other ports only serve tests: firmware asks on these.
    public int DhcpPort { get; set; } = 67;
    public int ProxyPort { get; set; } = 4011;
    public int TftpPort { get; set; } = 69;

    /// <summary>A service that should run and does not is tried again after this long (an interface that comes up late).</summary>
    public int RetrySeconds { get; set; } = 5;
}
