using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;

namespace ImageForge.Server.Access;

internal static class AccessFeature
{
    public static void AddAccess(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<ApiTokenStore>();
        builder.Services.AddAuthentication(BearerHandler.SchemeName)
            .AddScheme<AuthenticationSchemeOptions, BearerHandler>(BearerHandler.SchemeName, null);
        var authorization = builder.Services.AddAuthorizationBuilder()
            .SetFallbackPolicy(new AuthorizationPolicyBuilder().RequireClaim(Identity.ScopeClaim, Scopes.Admin).Build());
        foreach (var scope in Scopes.All)
            authorization.AddPolicy(scope, policy => policy.RequireClaim(Identity.ScopeClaim, scope));
    }

    public static void UseAccess(this WebApplication app)
    {
        app.UseAuthentication();
        app.UseAuthorization();
    }

    public static void MapAccess(this WebApplication app)
    {
    }

    /// <summary>The group every API address belongs to: reading needs <c>read</c>; what changes something asks for more by itself.</summary>
    public static RouteGroupBuilder MapApi(this IEndpointRouteBuilder app, string prefix) =>
        app.MapGroup($"/api/v1/{prefix}").RequireAuthorization(Scopes.Read);
}
