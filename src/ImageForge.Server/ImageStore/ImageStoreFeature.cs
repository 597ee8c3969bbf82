using ImageForge.Server.Data;

namespace ImageForge.Server.ImageStore;

internal static class ImageStoreFeature
{
    public static void AddImageStore(this WebApplicationBuilder builder)
    {
        var options = builder.Configuration.GetSection(ImageStoreOptions.Section).Get<ImageStoreOptions>() ?? new ImageStoreOptions();
        builder.Services.AddSingleton(options);
        builder.Services.AddSingleton(services => new StoreFolder(options.Folder ?? Path.Combine(services.GetRequiredService<DataFolder>().Root, "store")));
        builder.Services.AddSingleton<IStoreSync, StoreSync>();
        builder.Services.AddSingleton<ChunkStore>();
        builder.Services.AddSingleton<ChunkLeases>();
        builder.Services.AddSingleton<IChunkRoots>(static services => services.GetRequiredService<ChunkLeases>());
        builder.Services.AddSingleton<StaleLeases>();
        builder.Services.AddSingleton<SealGate>();
        builder.Services.AddSingleton<ManifestFiles>();
        builder.Services.AddSingleton<ChunkIndexes>();
        builder.Services.AddSingleton<ImageSigningKey>();
        builder.Services.AddSingleton(new UploadMemory(options.UploadMemoryBytes));
        builder.Services.AddKeyedSingleton(UploadMemory.Manifests, new UploadMemory(options.ManifestMemoryBytes));
        builder.Services.AddHostedService<ImageStoreService>();
    }
}
