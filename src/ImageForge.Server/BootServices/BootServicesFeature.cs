namespace ImageForge.Server.BootServices;

internal static class BootServicesFeature
{
    public static void AddBootServices(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton(builder.Configuration.GetSection(BootServicesOptions.Section).Get<BootServicesOptions>() ?? new BootServicesOptions());
        builder.Services.AddSingleton<BootServiceSettingsStore>();
        builder.Services.AddSingleton<LeaseStore>();
        builder.Services.AddSingleton<BootTraffic>();
        builder.Services.AddSingleton<BootServiceRuns>();
        builder.Services.AddSingleton<BootServicesService>();
        builder.Services.AddHostedService(services => services.GetRequiredService<BootServicesService>());
    }

    public static void MapBootServices(this WebApplication app)
    {
        app.MapBootServiceEndpoints();
        app.MapNetworkInterfaces();
    }
}
