using ImageForge.Server.Configuration;
using Microsoft.AspNetCore.StaticFiles;
using Microsoft.Extensions.FileProviders;

namespace ImageForge.Server.Pages;

/// <summary>The status page (files of the repository's <c>web</c> folder) and the OpenAPI document.</summary>
internal static class PagesFeature
{
    // People type these; the files have an ending.
    private static readonly Dictionary<string, string> Pages = new(StringComparer.Ordinal)
    {
        ["/"] = "/index.html",
        ["/login"] = "/login.html",
        ["/setup"] = "/setup.html",
    };

    public static void AddPages(this WebApplicationBuilder builder) => builder.Services.AddOpenApi(ApiDocument.Configure);

    /// <summary>Before routing: a file needs no login, what it shows does.</summary>
    public static void UsePages(this WebApplication app)
    {
        app.UseMiddleware<SecurityHeaders>();
        var folder = Path.GetFullPath(app.Services.GetRequiredService<ServerOptions>().WebPath);
        if (!Directory.Exists(folder))
            return;
        app.Use(static (context, next) =>
        {
            if (HttpMethods.IsGet(context.Request.Method) && Pages.TryGetValue(context.Request.Path.Value ?? "", out var file))
                context.Request.Path = file;
            return next(context);
        });
        app.UseStaticFiles(new StaticFileOptions
        {
            FileProvider = new PhysicalFileProvider(folder),
            ContentTypeProvider = new FileExtensionContentTypeProvider(new Dictionary<string, string>
            {
                [".html"] = "text/html; charset=utf-8",
                [".js"] = "text/javascript; charset=utf-8",
                [".css"] = "text/css; charset=utf-8",
                [".svg"] = "image/svg+xml",
            }),
            // Names carry no version: ask each time, the ETag makes it cheap.
            OnPrepareResponse = static file => file.Context.Response.Headers.CacheControl = "no-cache",
        });
    }

    public static void MapPages(this WebApplication app) => app.MapOpenApi().AllowAnonymous();
}
