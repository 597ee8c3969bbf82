namespace ImageForge.Server.Configuration;

/// <summary>Packaged defaults &lt; /etc/imageforge/appsettings.json &lt; environment (<c>ImageForge__Section__Key</c>) &lt; flags.</summary>
internal static class ServerConfiguration
{
    public const string EtcFile = "/etc/imageforge/appsettings.json";

    /// <summary>The short flags; every other setting is reachable as <c>--ImageForge:Section:Key value</c>.</summary>
    public static readonly IReadOnlyDictionary<string, string> Flags = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase)
    {
        ["--data-folder"] = "ImageForge:DataFolder",
        ["--http-port"] = "ImageForge:Http:Port",
        ["--https-port"] = "ImageForge:Https:Port",
        ["--listen"] = "ImageForge:ListenAddress",
        ["--live-image"] = "ImageForge:LiveImageFolder",
        ["--boot-files"] = "ImageForge:BootFilesFolder",
        ["--scripts"] = "ImageForge:ScriptsFolder",
        ["--web"] = "ImageForge:WebFolder",
        ["--interface"] = "ImageForge:BootServices:Interface",
        ["--dhcp"] = "ImageForge:BootServices:Dhcp",
        ["--pool-first"] = "ImageForge:BootServices:PoolFirst",
        ["--pool-last"] = "ImageForge:BootServices:PoolLast",
    };

    /// <summary>A builder that reads only our own sources: an ASPNETCORE_URLS left in the environment must not move the ports.</summary>
    public static WebApplicationBuilder CreateBuilder(string[] args)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        builder.Configuration.Sources.Clear();
        builder.Configuration
            // The framework writes four lines for every request; a classroom that boots would drown everything else.
            .AddInMemoryCollection(new Dictionary<string, string?> { ["Logging:LogLevel:Default"] = "Information", ["Logging:LogLevel:Microsoft.AspNetCore"] = "Warning" })
            .AddJsonFile(Path.Combine(AppContext.BaseDirectory, "appsettings.json"), optional: true, reloadOnChange: false)
            .AddJsonFile(EtcFile, optional: true, reloadOnChange: false)
            .AddEnvironmentVariables()
            .AddCommandLine(args, Flags.ToDictionary(StringComparer.OrdinalIgnoreCase));
        var options = builder.Configuration.GetSection(ServerOptions.Section).Get<ServerOptions>() ?? new ServerOptions();
        builder.Services.AddSingleton(options);
        builder.Services.AddSingleton(TimeProvider.System);
        return builder;
    }
}
