using ImageForge.Server.Configuration;

namespace ImageForge.Server.Hosts;

internal static class HostsFeature
{
    public static void AddHosts(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton(builder.Configuration.GetSection($"{ServerOptions.Section}:Boot").Get<HostsOptions>() ?? new HostsOptions());
        builder.Services.AddSingleton<HostStore>();
    }

    public static void MapHosts(this WebApplication app) => HostEndpoints.Map(app);
}
