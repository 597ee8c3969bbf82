using ImageForge.Server.Errors;
using ImageForge.Server.Events;

namespace ImageForge.Server.Access;

internal sealed record SetUpRequest(string Code, string Name, string Password);

internal sealed record SetUpStatus(bool Needed);

/// <summary><c>/api/v1/setup</c>: the first administrator.</summary>
internal static class SetUpEndpoints
{
    public const int MinPassword = 10;
    private const int MaxPassword = 256;
    private const int AttemptsPerWindow = 10;

    public static void Map(IEndpointRouteBuilder app)
    {
        var group = app.MapGroup("/api/v1/setup").WithTags("Access").AllowAnonymous();
        group.MapGet("", Get);
        group.MapPost("", Post).Produces<SessionView>().ProducesProblem(400).ProducesProblem(403).ProducesProblem(409).ProducesProblem(429);
    }

    private static async Task<SetUpStatus> Get(UserStore users, CancellationToken cancellationToken) =>
        new(!await users.AnyAsync(cancellationToken));

    private static async Task<IResult> Post(
        SetUpRequest request, HttpContext context, SetUpCode code, UserStore users, SessionStore sessions, AttemptLimiter limiter, EventLog events, CancellationToken cancellationToken)
    {
        var source = AttemptLimiter.Source(context.Connection.RemoteIpAddress);
        if (!limiter.TryAttempt($"setup {source}", AttemptsPerWindow))
            return Problems.TooManyRequests("tooManyAttempts", "Too many set-up attempts from this address.", "Wait five minutes, then use the link that the server printed at its start.");
        if (await users.AnyAsync(cancellationToken))
            return Problems.Conflict("alreadySetUp", "The first administrator exists already.", "Sign in at /login.");
        if (!code.Matches(request.Code))
            return Problems.Forbidden("wrongCode", "This is not the set-up code of the running server.", "Use the link that the server printed at its latest start; restart the server to get a new one.");
        var name = request.Name.Trim();
        if (name.Length is 0 or > 64 || name.Any(char.IsControl))
            return Problems.BadRequest("badName", "A name has 1 to 64 characters.", "Choose another name.");
        if (request.Password.Length is < MinPassword or > MaxPassword)
            return Problems.BadRequest("badPassword", $"A password has {MinPassword} to {MaxPassword} characters.", "Choose a longer one, for example four words.");
        if (await users.CreateFirstAsync(name, request.Password, cancellationToken) is not { } user)
            return Problems.Conflict("alreadySetUp", "The first administrator exists already.", "Sign in at /login.");
        code.Void();
        await events.RecordAsync("administratorCreated", user.Name, $"{user.Name} was created as the first administrator from {source}", cancellationToken);
        await SessionEndpoints.SignInAsync(context, user, sessions, cancellationToken);
        return TypedResults.Ok(new SessionView(user.Name, Scopes.All));
    }
}
