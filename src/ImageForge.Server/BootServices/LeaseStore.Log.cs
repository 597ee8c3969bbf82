namespace ImageForge.Server.BootServices;

internal sealed partial class LeaseStore
{
    [LoggerMessage(Level = LogLevel.Error, Message = "DHCP leases cannot be saved; they hold in memory and are lost if the server stops now. Is the disk of the data folder full?")]
    private static partial void LogUnsaved(ILogger logger, Exception exception);

    [LoggerMessage(Level = LogLevel.Information, Message = "DHCP leases are saved again ({Count} that waited)")]
    private static partial void LogSavedAgain(ILogger logger, int count);
}
