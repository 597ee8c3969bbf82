using System.CommandLine;

namespace ImageForge.Cli.Net;

/// <summary><c>imageforge net …</c>: the network that machines boot from.</summary>
internal static class NetCommands
{
    public static Command Make() => new("net", "The network") { NetDoctor.Make() };
}
