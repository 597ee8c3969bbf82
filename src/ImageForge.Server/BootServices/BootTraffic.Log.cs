using System.Net;
using ImageForge.Contracts;
using ImageForge.NetBoot.Tftp;

namespace ImageForge.Server.BootServices;

internal sealed partial class BootTraffic
{
    [LoggerMessage(Level = LogLevel.Warning, Message = "{Mac}: {Detail}")]
    private static partial void LogDetail(ILogger logger, MacAddress mac, string detail);

    [LoggerMessage(Level = LogLevel.Error, Message = "A DHCP packet of {Mac} tripped a fault of ours: {Detail}")]
    private static partial void LogFault(ILogger logger, MacAddress mac, string? detail);

    [LoggerMessage(Level = LogLevel.Information, Message = "TFTP {Path} to {Address}: {Outcome} {Detail}")]
    private static partial void LogTransfer(ILogger logger, IPAddress address, string path, TftpOutcome outcome, string? detail);
}
