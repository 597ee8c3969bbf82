namespace ImageForge.Server.Boot;

internal static class BootFeature
{
    public static void AddBoot(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton(builder.Configuration.GetSection(BootOptions.Section).Get<BootOptions>() ?? new BootOptions());
        builder.Services.AddSingleton<BootScripts>();
        builder.Services.AddSingleton<BootFiles>();
        builder.Services.AddSingleton<BootDecider>();
        builder.Services.AddSingleton<BootTokens>();
        builder.Services.AddSingleton<BootAnswers>();
        builder.Services.AddSingleton<AddressProof>();
        builder.Services.AddSingleton<DhcpAddressBook>();
        builder.Services.AddSingleton<INeighbourTable>(new NeighbourTable());
        builder.Services.AddSingleton<SightingQueue>();
        builder.Services.AddSingleton<BootTimeline>();
        builder.Services.AddHostedService<SightingWriterService>();
        builder.Services.AddHostedService<TimelineWriterService>();
        builder.Services.AddHostedService<WarmUpService>();
    }

    public static void MapBoot(this WebApplication app)
    {
        app.MapBootFiles();
        app.MapBootQuestion();
        app.MapBootApi();
    }
}
