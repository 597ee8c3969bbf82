using Dapper;

namespace ImageForge.Server.Data;

internal static class DataFeature
{
    public static void AddData(this WebApplicationBuilder builder)
    {
        DefaultTypeMap.MatchNamesWithUnderscores = true;
        builder.Services.AddSingleton<DataFolder>();
        builder.Services.AddSingleton<Database>();
        builder.Services.AddSingleton<Migrations>();
        builder.Services.AddHostedService<MigrationService>();
    }
}
