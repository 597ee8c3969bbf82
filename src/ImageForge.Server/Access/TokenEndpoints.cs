using ImageForge.Server.Errors;
using ImageForge.Server.Events;

namespace ImageForge.Server.Access;

/// <param name="ExpiresInDays">Null: never.</param>
internal sealed record CreateTokenRequest(string Name, IReadOnlyList<string> Scopes, int? ExpiresInDays = null);

/// <param name="Secret">Shown this once; only its hash is kept.</param>
internal sealed record CreatedToken(ApiToken Token, string Secret);

/// <summary><c>/api/v1/tokens</c>: API tokens for scripts.</summary>
internal static class TokenEndpoints
{
    public static void Map(IEndpointRouteBuilder app)
    {
        var group = app.MapApi("tokens").WithTags("Access").RequireAuthorization(Scopes.Admin);
        group.MapGet("", static (ApiTokenStore tokens, CancellationToken cancellationToken) => tokens.ListAsync(cancellationToken));
        group.MapPost("", Post).Produces<CreatedToken>(201).ProducesProblem(400);
        group.MapDelete("{id:long}", Delete).Produces(204).ProducesProblem(404);
    }

    private static async Task<IResult> Post(
        CreateTokenRequest request, HttpContext context, ApiTokenStore tokens, EventLog events, TimeProvider time, CancellationToken cancellationToken)
    {
        var name = Hosts.DeviceText.Limit(request.Name);
        if (name is null)
            return Problems.BadRequest("badName", "A token needs a name.", "Name it after the script that will use it.");
        if (request.Scopes.Count == 0 || request.Scopes.Any(s => !Scopes.All.Contains(s)))
            return Problems.BadRequest("badScope", "A token needs one or more of the scopes read, operate and admin.", "Give the narrowest that does: \"scopes\": [\"read\"].");
        if (request.ExpiresInDays is <= 0 or > 3650)
            return Problems.BadRequest("badExpiry", "expiresInDays is 1 to 3650, or null for never.", "Give a number of days.");
        var expires = request.ExpiresInDays is { } days ? time.GetUtcNow().AddDays(days) : (DateTimeOffset?)null;
        var scopes = Scopes.All.Where(request.Scopes.Contains).ToList();
        var (token, secret) = await tokens.CreateAsync(name, scopes, expires, null, cancellationToken);
        await events.RecordAsync("tokenCreated", name, $"{context.User.NameOf()} created a token with the scopes {string.Join(", ", scopes)}", cancellationToken);
        return TypedResults.Created($"/api/v1/tokens/{token.Id}", new CreatedToken(token, secret));
    }

    private static async Task<IResult> Delete(long id, HttpContext context, ApiTokenStore tokens, EventLog events, CancellationToken cancellationToken)
    {
        if (!await tokens.DeleteAsync(id, cancellationToken))
            return Problems.NotFound("noSuchToken", $"There is no token {id}.", "List them with GET /api/v1/tokens.");
        await events.RecordAsync("tokenDeleted", $"{id}", $"{context.User.NameOf()} deleted token {id}", cancellationToken);
        return TypedResults.NoContent();
    }
}
