namespace ImageForge.Server.Boot;

internal sealed partial class SightingWriterService
{
    [LoggerMessage(Level = LogLevel.Warning, Message = "A batch of sightings could not be written; machines that asked are recorded when they ask again")]
    private static partial void LogNotWritten(ILogger logger, Exception exception);
}
