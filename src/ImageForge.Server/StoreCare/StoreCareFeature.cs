namespace ImageForge.Server.StoreCare;

internal static class StoreCareFeature
{
    public static void AddStoreCare(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<StoreRuns>();
        builder.Services.AddSingleton<LeftoverFiles>();
        builder.Services.AddSingleton<StoreSweep>();
        builder.Services.AddSingleton<SweepDesk>();
        builder.Services.AddSingleton<StoreVerification>();
        builder.Services.AddSingleton<VerifyDesk>();
        builder.Services.AddSingleton<VersionSizes>();
        builder.Services.AddHostedService<StoreCareService>();
    }

    public static void MapStoreCare(this WebApplication app) => StoreCareEndpoints.Map(app);
}
