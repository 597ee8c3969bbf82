using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;

namespace ImageForge.Server.Access;

/// <summary>The cookie of a browser that signed in.</summary>
internal sealed class SessionHandler(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder, SessionStore sessions)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
{
    public const string SchemeName = "Session";

    /// <summary>The prefix makes browsers insist on Secure, Path=/ and no Domain.</summary>
    public const string CookieName = "__Host-imageforge";

    public static CookieOptions Cookie => new() { HttpOnly = true, Secure = true, SameSite = SameSiteMode.Strict, Path = "/", IsEssential = true };

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (Request.Cookies[CookieName] is not { Length: > 0 } secret)
            return AuthenticateResult.NoResult();
        return await sessions.FindUserAsync(secret, Context.RequestAborted) is { } user
            ? AuthenticateResult.Success(new AuthenticationTicket(Identity.For(user.Name, [Scopes.Admin], SchemeName), SchemeName))
            : AuthenticateResult.Fail("the login has ended");
    }
}

/// <summary>
/// A foreign page can make a browser send our cookie; it can neither set our header nor lie about its origin. Without one of
/// the two, nothing that changes something is done on the strength of a cookie.
/// </summary>
internal sealed class CrossSiteMiddleware(RequestDelegate next)
{
    public const string Header = "X-ImageForge";

    public Task InvokeAsync(HttpContext context)
    {
        var request = context.Request;
        var byCookie = context.User.Identity is { IsAuthenticated: true, AuthenticationType: SessionHandler.SchemeName };
        var safe = HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method) || HttpMethods.IsOptions(request.Method);
        if (!byCookie || safe || request.Headers[Header] == "1" || request.Headers.Origin == $"{request.Scheme}://{request.Host}")
            return next(context);
        return Errors.Problems.Forbidden("crossSite", "This request may come from a foreign page.",
            $"Send the header {Header}: 1 with it, or use an API token.").ExecuteAsync(context);
    }
}
