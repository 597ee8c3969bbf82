namespace ImageForge.Server.BootServices;

internal static class BootServicesFeature
{
    public static void AddBootServices(this WebApplicationBuilder builder)
    {
        var options = builder.Configuration.GetSection(BootServicesOptions.Section).Get<BootServicesOptions>() ?? new BootServicesOptions();
        // A word that means nothing stops the start here, not a service later.
        _ = BootServiceSettings.From(options);
        builder.Services.AddSingleton(options);
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
