using ImageForge.Server.Access;
using ImageForge.Server.Agents;
using ImageForge.Server.Boot;
using ImageForge.Server.BootServices;
using ImageForge.Server.Configuration;
using ImageForge.Server.Data;
using ImageForge.Server.Errors;
using ImageForge.Server.Events;
using ImageForge.Server.Health;
using ImageForge.Server.Hosts;
using ImageForge.Server.Images;
using ImageForge.Server.ImageStore;
using ImageForge.Server.Jobs;
using ImageForge.Server.Listening;
using ImageForge.Server.Multicasting;
using ImageForge.Server.NetworkDoctoring;
using ImageForge.Server.Pages;
using ImageForge.Server.Shrinking;
using ImageForge.Server.StoreCare;

namespace ImageForge.Server;

/// <summary>The table of contents: one line per feature.</summary>
internal static class Program
{
    private static Task<int> Main(string[] args) => StartUp.RunAsync(args);

    /// <summary>The whole server, not started yet. Tests build exactly this one.</summary>
    public static WebApplication Build(string[] args, Action<WebApplicationBuilder>? adjust = null)
    {
        var builder = ServerConfiguration.CreateBuilder(args);
        builder.AddListening();
        builder.AddErrors();
        builder.AddData();
        builder.AddEvents();
        builder.AddAccess();
        builder.AddHosts();
        builder.AddJobs();
        builder.AddBoot();
        builder.AddBootServices();
        builder.AddNetworkDoctoring();
        builder.AddImageStore();
        builder.AddImages();
        builder.AddStoreCare();
        builder.AddShrinking();
        builder.AddMulticasting();
        builder.AddAgents();
        builder.AddPages();
        adjust?.Invoke(builder);

        var app = builder.Build();
        app.UseErrors();
        app.UseListeningRules();
        app.UsePages();
        app.UseRouting();
        app.UseAccess();
        app.MapHealth();
        app.MapAccess();
        app.MapEvents();
        app.MapHosts();
        app.MapJobs();
        app.MapBoot();
        app.MapBootServices();
        app.MapNetworkDoctoring();
        app.MapImages();
        app.MapStoreCare();
        app.MapShrinking();
        app.MapMulticasting();
        app.MapAgents();
        app.MapPages();
        return app;
    }
}
