using System.Net;
using ImageForge.Contracts;

namespace ImageForge.Server.Boot;

internal sealed partial class BootAnswers
{
    [LoggerMessage(Level = LogLevel.Error, Message = "The boot question of {Mac} could not be answered; it boots its disk")]
    private static partial void LogFailed(ILogger logger, MacAddress mac, Exception exception);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Source} asked in the name of {Mac} for the agent of task {TaskId}; nothing ties the address to the machine, so it boots its disk")]
    private static partial void LogNotTied(ILogger logger, MacAddress mac, IPAddress source, long taskId);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Mac} has the local boot setting {LocalBoot}, which is none of: {Forms}; the default is used")]
    private static partial void LogLocalBootUnknown(ILogger logger, MacAddress mac, string? localBoot, string forms);
}
