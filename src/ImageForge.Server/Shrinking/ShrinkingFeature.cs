using ImageForge.Server.ImageStore;

namespace ImageForge.Server.Shrinking;

internal static class ShrinkingFeature
{
    public static void AddShrinking(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<ShrinkChunks>();
        builder.Services.AddSingleton<IChunkRoots>(static services => services.GetRequiredService<ShrinkChunks>());
        builder.Services.AddSingleton<ShrinkDesk>();
    }

    public static void MapShrinking(this WebApplication app)
    {
        // Made now: it removes what a crash has left.
        _ = app.Services.GetRequiredService<ShrinkDesk>();
        ShrinkEndpoints.Map(app);
    }
}
