using ImageForge.Server.Configuration;
using ImageForge.Server.Data;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.AspNetCore.DataProtection.Repositories;
using Microsoft.Extensions.Options;

namespace ImageForge.Server.Access;

internal static class AccessFeature
{
    private const string Either = "ImageForge";

    public static void AddAccess(this WebApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddSingleton(builder.Configuration.GetSection($"{ServerOptions.Section}:Access").Get<AccessOptions>() ?? new AccessOptions());
        services.AddSingleton<ApiTokenStore>();
        services.AddSingleton<UserStore>();
        services.AddSingleton<SessionStore>();
        services.AddSingleton<SetUpCode>();
        services.AddSingleton<AttemptLimiter>();

        services.AddAuthentication(Either)
            .AddPolicyScheme(Either, null, static options => options.ForwardDefaultSelector = static context =>
                context.Request.BearerToken() is not null || !context.Request.Cookies.ContainsKey(SessionHandler.CookieName)
                    ? BearerHandler.SchemeName
                    : SessionHandler.SchemeName)
            .AddScheme<AuthenticationSchemeOptions, BearerHandler>(BearerHandler.SchemeName, null)
            .AddScheme<AuthenticationSchemeOptions, SessionHandler>(SessionHandler.SchemeName, null);
        // An address nobody thought about is closed, not open.
        var authorization = services.AddAuthorizationBuilder()
            .SetFallbackPolicy(new AuthorizationPolicyBuilder().RequireClaim(Identity.ScopeClaim, Scopes.Admin).Build());
        foreach (var scope in Scopes.All)
            authorization.AddPolicy(scope, policy => policy.RequireClaim(Identity.ScopeClaim, scope));

        // The framework makes these keys at start whether or not they are used; they must not land in somebody's home folder.
        services.AddDataProtection().SetApplicationName("ImageForge");
        services.AddSingleton<IConfigureOptions<KeyManagementOptions>>(static provider => new ConfigureOptions<KeyManagementOptions>(options =>
            options.XmlRepository = new FileSystemXmlRepository(
                new DirectoryInfo(provider.GetRequiredService<DataFolder>().Folder("data-protection")), provider.GetRequiredService<ILoggerFactory>())));
        builder.Logging.AddFilter("Microsoft.AspNetCore.DataProtection", LogLevel.Error);
    }

    public static void UseAccess(this WebApplication app)
    {
        app.UseAuthentication();
        app.UseMiddleware<CrossSiteMiddleware>();
        app.UseAuthorization();
    }

    public static void MapAccess(this WebApplication app)
    {
        SetUpEndpoints.Map(app);
        SessionEndpoints.Map(app);
        TokenEndpoints.Map(app);
    }

    /// <summary>The group every API address belongs to: reading needs <c>read</c>; what changes something asks for more by itself.</summary>
    public static RouteGroupBuilder MapApi(this IEndpointRouteBuilder app, string prefix) =>
        app.MapGroup($"/api/v1/{prefix}").RequireAuthorization(Scopes.Read);
}
