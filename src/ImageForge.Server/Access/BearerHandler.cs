using System.Security.Claims;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;

namespace ImageForge.Server.Access;

/// <summary><c>Authorization: Bearer ifk_…</c> (RFC 6750 §2.1).</summary>
internal sealed class BearerHandler(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder, ApiTokenStore tokens)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
{
    public const string SchemeName = "Bearer";

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (Context.Request.BearerToken() is not { } secret)
            return AuthenticateResult.NoResult();
        if (await tokens.FindBySecretAsync(secret, Context.RequestAborted) is not { } token)
            return AuthenticateResult.Fail("unknown or expired token");
        var principal = Identity.For($"token:{token.Name}", token.Scopes, SchemeName);
        return AuthenticateResult.Success(new AuthenticationTicket(principal, SchemeName));
    }

    protected override Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        Response.StatusCode = StatusCodes.Status401Unauthorized;
        Response.Headers.WWWAuthenticate = SchemeName;
        return Task.CompletedTask;
    }
}

internal static class BearerTokens
{
    /// <summary>The token of an <c>Authorization: Bearer</c> header, null when there is none.</summary>
    public static string? BearerToken(this HttpRequest request)
    {
        const string scheme = "Bearer ";
        var header = request.Headers.Authorization.ToString();
        return header.StartsWith(scheme, StringComparison.OrdinalIgnoreCase) ? header[scheme.Length..].Trim() : null;
    }
}

/// <summary>Who asks: a name and the scopes, the wider ones including the narrower.</summary>
internal static class Identity
{
    public const string ScopeClaim = "scope";

    public static ClaimsPrincipal For(string name, IEnumerable<string> scopes, string scheme, params IEnumerable<Claim> more)
    {
        var widest = scopes.Select(s => Scopes.All.ToList().IndexOf(s)).Append(-1).Max();
        var claims = Scopes.All.Take(widest + 1).Select(s => new Claim(ScopeClaim, s));
        return new ClaimsPrincipal(new ClaimsIdentity([new Claim(ClaimTypes.Name, name), .. claims, .. more], scheme));
    }

    public static string NameOf(this ClaimsPrincipal principal) => principal.Identity?.Name ?? "unknown";
}
