namespace ImageForge.Server.Boot;

internal sealed partial class TimelineWriterService
{
    [LoggerMessage(Level = LogLevel.Warning, Message = "A batch of boot timeline steps could not be written; booting goes on without them")]
    private static partial void LogNotWritten(ILogger logger, Exception exception);
}
