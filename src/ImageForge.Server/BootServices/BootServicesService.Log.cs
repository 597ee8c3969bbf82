namespace ImageForge.Server.BootServices;

internal sealed partial class BootServicesService
{
    [LoggerMessage(Level = LogLevel.Warning, Message = "The start-up configuration names the interface {Wanted}; the settings saved in the database say {Saved} and win. Change them on the settings page.")]
    private static partial void LogSavedWins(ILogger logger, string wanted, string saved);

    [LoggerMessage(Level = LogLevel.Information, Message = "The interface {Interface} changed from {Old} to {New}; the boot services start again with it")]
    private static partial void LogMoved(ILogger logger, string @interface, BootInterface? old, BootInterface @new);

    [LoggerMessage(Level = LogLevel.Error, Message = "The boot services could not be looked after; it is tried again every {Seconds} s")]
    private static partial void LogStumbled(ILogger logger, double seconds, Exception exception);
}
