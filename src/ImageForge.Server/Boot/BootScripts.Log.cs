namespace ImageForge.Server.Boot;

internal sealed partial class BootScripts
{
    [LoggerMessage(Level = LogLevel.Warning, Message = "{Path} cannot be used ({Why}); the copy inside the program stands in for it. Repair the file and restart.")]
    private static partial void LogScriptReplaced(ILogger logger, string path, string why);
}
