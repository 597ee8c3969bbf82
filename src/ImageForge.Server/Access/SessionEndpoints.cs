using System.Security.Claims;
using ImageForge.Server.Errors;
using ImageForge.Server.Events;

namespace ImageForge.Server.Access;

internal sealed record LoginRequest(string Name, string Password);

internal sealed record SessionView(string Name, IReadOnlyList<string> Scopes);

/// <summary><c>/api/v1/session</c>: sign in, who am I, sign out.</summary>
internal static class SessionEndpoints
{
    private const int AttemptsPerSource = 20;
    private const int AttemptsPerSourceAndName = 5;

    // From everywhere together: high enough that a stranger cannot easily lock a person out.
    private const int AttemptsPerName = 100;

    public static void Map(IEndpointRouteBuilder app)
    {
        var group = app.MapApi("session").WithTags("Access");
        group.MapGet("", static (ClaimsPrincipal user) =>
            new SessionView(user.NameOf(), [.. user.FindAll(Identity.ScopeClaim).Select(c => c.Value)]));
        group.MapPost("", Post).AllowAnonymous().Produces<SessionView>().ProducesProblem(401).ProducesProblem(429);
        group.MapDelete("", Delete).Produces(204);
    }

    public static async Task SignInAsync(HttpContext context, User user, SessionStore sessions, CancellationToken cancellationToken) =>
        context.Response.Cookies.Append(SessionHandler.CookieName, await sessions.CreateAsync(user.Id, cancellationToken), SessionHandler.Cookie);

    private static async Task<IResult> Post(
        LoginRequest request, HttpContext context, UserStore users, SessionStore sessions, AttemptLimiter limiter, EventLog events, CancellationToken cancellationToken)
    {
        var source = AttemptLimiter.Source(context.Connection.RemoteIpAddress);
        var name = request.Name.Trim();
        name = name.Length <= 64 ? name : name[..64];
        var key = name.ToUpperInvariant();
        var allowed = limiter.TryAttempt($"login {source}", AttemptsPerSource)
            & limiter.TryAttempt($"login {source} {key}", AttemptsPerSourceAndName)
            & limiter.TryAttempt($"login-name {key}", AttemptsPerName);
        if (!allowed)
            return Problems.TooManyRequests("tooManyAttempts", "Too many attempts to sign in.", "Wait five minutes, then try again.");
        if (request.Password.Length > 256 || await users.VerifyAsync(name, request.Password, cancellationToken) is not { } user)
        {
            await events.RecordAsync("loginFailed", Hosts.DeviceText.Limit(name) ?? "", $"A login from {source} failed", cancellationToken);
            return Problems.Unauthorized("wrongLogin", "Name or password is wrong.", "Check both; capitals matter in the password.");
        }
        limiter.Reset($"login {source} {key}");
        await SignInAsync(context, user, sessions, cancellationToken);
        return TypedResults.Ok(new SessionView(user.Name, Scopes.All));
    }

    private static async Task<IResult> Delete(HttpContext context, SessionStore sessions, CancellationToken cancellationToken)
    {
        if (context.Request.Cookies[SessionHandler.CookieName] is { Length: > 0 } secret)
            await sessions.DeleteAsync(secret, cancellationToken);
        context.Response.Cookies.Delete(SessionHandler.CookieName, SessionHandler.Cookie);
        return TypedResults.NoContent();
    }
}
