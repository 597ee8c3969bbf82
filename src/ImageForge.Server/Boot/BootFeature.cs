using ImageForge.Server.Configuration;

namespace ImageForge.Server.Boot;

internal static class BootFeature
{
    public static void AddBoot(this WebApplicationBuilder builder)
    {
        var options = builder.Configuration.GetSection(BootOptions.Section).Get<BootOptions>() ?? new BootOptions();
        if (!ScriptValue.IsSafe(options.KernelArguments))
            throw new StartUpException($"ImageForge:Boot:KernelArguments is \"{ScriptValue.Clean(options.KernelArguments)}\", which an iPXE script cannot carry; leave out control characters, ${{, || and &&.");
        builder.Services.AddSingleton(options);
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
