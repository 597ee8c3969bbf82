namespace ImageForge.Server.Pages;

internal static class PagesFeature
{
    public static void AddPages(this WebApplicationBuilder builder) => builder.Services.AddOpenApi();

    public static void UsePages(this WebApplication app)
    {
    }

    public static void MapPages(this WebApplication app) => app.MapOpenApi().AllowAnonymous();
}
