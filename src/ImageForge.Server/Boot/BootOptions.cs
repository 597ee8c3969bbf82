namespace ImageForge.Server.Boot;

/// <summary>Section <c>ImageForge:Boot</c>.</summary>
internal sealed class BootOptions
{
    public const string Section = "ImageForge:Boot";

    /// <summary>
    /// Networks behind a router, in CIDR form. A boot question from an address in one of them may get a token although
    /// nothing ties the address to the MAC: an administrator vouches for the network.
    /// </summary>
    public string[] TrustedSubnets { get; set; } = [];

    public int TokenMinutes { get; set; } = 10;

    /// <summary>While a task's agent was heard within this time, a new boot of its machine waits.</summary>
    public int AgentHeardSeconds { get; set; } = 10;

    /// <summary>The same token and nonce get the same answer for this long.</summary>
    public int NonceReplaySeconds { get; set; } = 60;

    /// <summary>A DHCP exchange ties an address to a MAC for this long.</summary>
    public int DhcpProofMinutes { get; set; } = 60;

    /// <summary>Unknown MACs that one source address may announce; a machine has one, a relay a few.</summary>
    public double DiscoveriesPerSecondPerSource { get; set; } = 5;

    public int DiscoveryBurstPerSource { get; set; } = 20;

    /// <summary>One-time tokens for one MAC: a burst, then one every so many seconds.</summary>
    public int TokenBurstPerMac { get; set; } = 6;

    public double SecondsPerToken { get; set; } = 10;

    /// <summary>Appended to the kernel command line of the live image, for example <c>console=ttyS0</c>.</summary>
    public string KernelArguments { get; set; } = "";

    /// <summary>A boot question that takes longer than this is answered with local boot: the machine asks with a time limit of 2.5 s.</summary>
    public int DecisionMilliseconds { get; set; } = 1500;
}
