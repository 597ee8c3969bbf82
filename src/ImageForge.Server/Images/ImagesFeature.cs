using ImageForge.Server.ImageStore;

namespace ImageForge.Server.Images;

internal static class ImagesFeature
{
    public static void AddImages(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<VersionHolds>();
        builder.Services.AddSingleton<ImageVersions>();
        builder.Services.AddSingleton<VersionChunks>();
        builder.Services.AddSingleton<ImageSealing>();
        builder.Services.AddSingleton<ChunkFaults>();
    }

    public static void MapImages(this WebApplication app)
    {
        // Made at first start, not at the first capture: who keeps a backup of the secrets has it from the first day.
        app.Services.GetRequiredService<ImageSigningKey>();
        app.MapImageEndpoints();
        app.MapImageChangeEndpoints();
    }
}
