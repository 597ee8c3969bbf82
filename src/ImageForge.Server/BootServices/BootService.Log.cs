namespace ImageForge.Server.BootServices;

internal sealed partial class BootService
{
    [LoggerMessage(Level = LogLevel.Information, Message = "{Service} runs on {Listens}")]
    private static partial void LogRunning(ILogger logger, string service, IReadOnlyList<string> listens);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Service} does not run: {Sentence} {Cure}")]
    private static partial void LogFailed(ILogger logger, string service, string sentence, string cure);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Service} ended by itself; it is tried again")]
    private static partial void LogEnded(ILogger logger, string service, Exception exception);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Service} stopped")]
    private static partial void LogStopped(ILogger logger, string service);
}
