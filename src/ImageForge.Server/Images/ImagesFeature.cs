namespace ImageForge.Server.Images;

internal static class ImagesFeature
{
    public static void AddImages(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<ImageVersions>();
        builder.Services.AddSingleton<VersionChunks>();
        builder.Services.AddSingleton<ImageSealing>();
    }

    public static void MapImages(this WebApplication app) => app.MapImageEndpoints();
}
