namespace ImageForge.Server.Errors;

internal sealed partial class ErrorMiddleware
{
    [LoggerMessage(Level = LogLevel.Error, Message = "Unexpected fault in {Method} {Path}")]
    private partial void LogUnexpected(Exception exception, string method, string path);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Request failed with {Code}: {Sentence}")]
    private partial void LogFailure(string code, string sentence);
}
