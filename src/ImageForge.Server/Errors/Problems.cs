using ImageForge.Contracts;
using Microsoft.AspNetCore.Http.HttpResults;

namespace ImageForge.Server.Errors;

/// <summary>Every error answer: <c>application/problem+json</c> (RFC 9457) with the side to blame, one cure and a stable code.</summary>
internal static class Problems
{
    public static ProblemHttpResult BadRequest(string code, string detail, string hint, Fault? fault = null) =>
        Of(StatusCodes.Status400BadRequest, "The request is not understood", code, detail, hint, fault);

    public static ProblemHttpResult Unauthorized(string code, string detail, string hint) =>
        Of(StatusCodes.Status401Unauthorized, "Sign in first", code, detail, hint);

    public static ProblemHttpResult Forbidden(string code, string detail, string hint, Fault? fault = null) =>
        Of(StatusCodes.Status403Forbidden, "Not allowed", code, detail, hint, fault);

    public static ProblemHttpResult NotFound(string code, string detail, string hint, Fault? fault = null) =>
        Of(StatusCodes.Status404NotFound, "Not found", code, detail, hint, fault);

    public static ProblemHttpResult Conflict(string code, string detail, string hint, Fault? fault = null) =>
        Of(StatusCodes.Status409Conflict, "In conflict with the present state", code, detail, hint, fault);

    public static ProblemHttpResult TooLarge(string code, string detail, string hint, Fault? fault = null) =>
        Of(StatusCodes.Status413PayloadTooLarge, "Too large", code, detail, hint, fault);

    public static ProblemHttpResult TooManyRequests(string code, string detail, string hint) =>
        Of(StatusCodes.Status429TooManyRequests, "Too many attempts", code, detail, hint);

    public static ProblemHttpResult InternalError(string code, string detail, string hint, Fault fault = Fault.Server) =>
        Of(StatusCodes.Status500InternalServerError, "The server failed", code, detail, hint, fault);

    public static ProblemHttpResult Unavailable(string code, string detail, string hint, Fault fault = Fault.Server) =>
        Of(StatusCodes.Status503ServiceUnavailable, "Not available now", code, detail, hint, fault);

    /// <summary>507: the store's disk is full.</summary>
    public static ProblemHttpResult InsufficientStorage(string code, string detail, string hint) =>
        Of(StatusCodes.Status507InsufficientStorage, "No space left on the server", code, detail, hint, Fault.Server);

    public static ProblemHttpResult Of(int status, string title, string code, string detail, string hint, Fault? fault = null) =>
        TypedResults.Problem(
            detail: detail,
            statusCode: status,
            title: title,
            type: $"urn:imageforge:problem:{code}",
            extensions: new Dictionary<string, object?> { ["fault"] = fault, ["hint"] = hint, ["code"] = code });
}
