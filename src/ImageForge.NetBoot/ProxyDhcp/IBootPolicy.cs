using System.Net;
using ImageForge.NetBoot.Pxe;

namespace ImageForge.NetBoot.ProxyDhcp;

/// <summary>The one seam between the wire and the decision what a machine boots. Called on the receive loop: must not block.</summary>
public interface IBootPolicy
{
    BootAnswer Answer(BootClient client);
}

/// <summary>What the policy says: a <see cref="BootFile"/> or <see cref="NoBootFile"/>.</summary>
public abstract record BootAnswer;

/// <param name="Name">A TFTP path, or a URL when the client is iPXE or <see cref="BootClient.IsHttp"/>.</param>
/// <param name="NextServer">TFTP server; null means the address of the interface the packet came in on.</param>
public sealed record BootFile(string Name, IPAddress? NextServer = null) : BootAnswer;

/// <summary>Do not answer as a boot server (a full DHCP server still hands out the address).</summary>
/// <param name="Reason">One sentence for the log, for example "no boot file for UEFI ARM64 is installed".</param>
public sealed record NoBootFile(string Reason) : BootAnswer;

/// <summary>A policy from a function.</summary>
public sealed class BootPolicy(Func<BootClient, BootAnswer> answer) : IBootPolicy
{
    public BootAnswer Answer(BootClient client) => answer(client);
}
