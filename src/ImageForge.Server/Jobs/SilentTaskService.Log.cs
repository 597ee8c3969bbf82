namespace ImageForge.Server.Jobs;

internal sealed partial class SilentTaskService
{
    [LoggerMessage(Level = LogLevel.Information, Message = "{Count} cancelled host tasks ended whose agent is silent")]
    private partial void LogEnded(int count);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The sweep of silent host tasks failed and will be repeated")]
    private partial void LogFailed(Exception exception);
}
