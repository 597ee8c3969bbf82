namespace ImageForge.Server.Shrinking;

internal sealed partial class ShrinkDesk
{
    [LoggerMessage(LogLevel.Information, "Version {Result} of {Image} was made from version {Version} for disks of {DiskBytes} bytes")]
    private partial void LogMade(string image, int version, int result, long diskBytes);

    [LoggerMessage(LogLevel.Warning, "No smaller version of {Image} version {Version} was made: {Code}")]
    private partial void LogFailed(Exception exception, string image, int version, string code);

    [LoggerMessage(LogLevel.Information, "The order for a smaller version of {Image} version {Version} for disks of {DiskBytes} bytes was cancelled")]
    private partial void LogCancelled(string image, int version, long diskBytes);
}
