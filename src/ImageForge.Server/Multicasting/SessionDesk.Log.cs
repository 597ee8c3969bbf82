using System.Net;

namespace ImageForge.Server.Multicasting;

internal sealed partial class SessionDesk
{
    [LoggerMessage(LogLevel.Information, "Multicast session {Session} of {Image} has a sender, epoch {Epoch}, to {Group} port {Port} on {Interface}")]
    private partial void LogBegan(long session, string image, uint epoch, IPAddress group, int port, string? @interface);

    [LoggerMessage(LogLevel.Error, "The sender of multicast session {Session} of {Image} failed")]
    private partial void LogFailed(Exception exception, long session, string image);

    [LoggerMessage(LogLevel.Error, "That multicast session {Session} of {Image} failed could not be written down")]
    private partial void LogNotEnded(Exception exception, long session, string image);

    [LoggerMessage(LogLevel.Warning, "What multicast session {Session} of {Image} sent last could not be written down")]
    private partial void LogNotSaved(Exception exception, long session, string image);

    [LoggerMessage(LogLevel.Information, "Multicast session {Session} of {Image} ended: {Reason}")]
    private partial void LogEnded(long session, string image, SessionEnd reason);
}
