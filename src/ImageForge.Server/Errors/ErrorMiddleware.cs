using System.Text.Json;
using ImageForge.Contracts;
using Microsoft.AspNetCore.Http.HttpResults;

namespace ImageForge.Server.Errors;

/// <summary>Turns whatever goes wrong into a problem that says what to do; what the program itself did wrong goes to the log, never into an answer.</summary>
internal sealed partial class ErrorMiddleware(RequestDelegate next, ILogger<ErrorMiddleware> logger)
{
    public async Task InvokeAsync(HttpContext context)
    {
        try
        {
            await next(context);
            if (!context.Response.HasStarted && context.Response is { StatusCode: >= 400, ContentType: null, ContentLength: null })
                await ForStatus(context.Response.StatusCode, context.Request).ExecuteAsync(context);
        }
        catch (Exception e) when (!context.Response.HasStarted)
        {
            if (context.RequestAborted.IsCancellationRequested)
                return;
            // What a handler had set up for its own answer (caching, attachments) does not belong to the problem.
            context.Response.Clear();
            await For(e, context).ExecuteAsync(context);
        }
    }

    private ProblemHttpResult For(Exception exception, HttpContext context)
    {
        switch (exception)
        {
            case BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge }:
                return ForStatus(StatusCodes.Status413PayloadTooLarge, context.Request);
            case BadHttpRequestException { InnerException: JsonException json }:
                return Problems.BadRequest("badJson", JsonFault.Sentence(json), JsonFault.Cure(json));
            case BadHttpRequestException bad:
                return Problems.Of(bad.StatusCode, "The request is not understood", "badRequest", Plain(bad.Message), "Compare the request with /openapi/v1.json.");
            case FailureException { Failure: var failure }:
                LogFailure(failure.Code, failure.Sentence);
                return Problems.InternalError(failure.Code, failure.Sentence, failure.Cure, failure.Fault);
            default:
                LogUnexpected(exception, context.Request.Method, context.Request.Path);
                return Problems.InternalError("unexpected", "The server ran into a fault of its own.",
                    "Try again; if it stays, look into the server's log for the time of this request.");
        }
    }

    /// <summary>The framework names its own types in these messages; the person who asked wants the parameter's name.</summary>
    private static string Plain(string message) =>
        BoundParameter().Match(message) is { Success: true } match
            ? $"The parameter \"{match.Groups[1].Value}\" cannot be \"{Hosts.DeviceText.Limit(match.Groups[2].Value)}\"."
            : Hosts.DeviceText.Limit(message) ?? "The request cannot be read.";

    [System.Text.RegularExpressions.GeneratedRegex("^Failed to bind parameter \".*? (\\w+)\" from \"(.*)\"\\.$")]
    private static partial System.Text.RegularExpressions.Regex BoundParameter();

    private static ProblemHttpResult ForStatus(int status, HttpRequest request) => status switch
    {
        StatusCodes.Status404NotFound => Problems.NotFound("noSuchAddress", $"There is nothing at {request.Path}.", "Compare the address with /openapi/v1.json."),
        StatusCodes.Status405MethodNotAllowed => Problems.Of(status, "Not allowed here", "methodNotAllowed", $"{request.Method} is not possible at {request.Path}.", "Compare the method with /openapi/v1.json."),
        StatusCodes.Status413PayloadTooLarge => Problems.TooLarge("bodyTooLarge", "The request's body is larger than this address accepts.", "Send less at once."),
        StatusCodes.Status415UnsupportedMediaType => Problems.Of(status, "The request is not understood", "unsupportedMediaType", "The body is not JSON.", "Send Content-Type: application/json."),
        StatusCodes.Status401Unauthorized => Problems.Unauthorized("notSignedIn", "This needs a login or a token.", "Sign in at /login, or send Authorization: Bearer with an API token."),
        StatusCodes.Status403Forbidden => Problems.Forbidden("scopeMissing", "The login or token lacks the scope for this.", "Use a token with the scope that /openapi/v1.json names."),
        _ => Problems.Of(status, "The request failed", "requestFailed", $"The request ended with status {status}.", "Compare the request with /openapi/v1.json."),
    };
}
