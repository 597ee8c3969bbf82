namespace ImageForge.Server.Boot;

internal sealed partial class WarmUpService
{
    [LoggerMessage(Level = LogLevel.Debug, Message = "The boot question was not tried in advance: {Why}")]
    private static partial void LogSkipped(ILogger logger, string why);
}
