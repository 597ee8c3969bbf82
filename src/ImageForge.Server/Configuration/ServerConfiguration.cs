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

    private static readonly Dictionary<string, string?> Defaults = new()
    {
        ["Logging:LogLevel:Default"] = "Information",
        // Thousands of boot questions a second are not worth a line each.
        ["Logging:LogLevel:Microsoft.AspNetCore"] = "Warning",
        ["Logging:LogLevel:Microsoft.Hosting.Lifetime"] = "Warning",
        ["Logging:Console:FormatterName"] = "simple",
        ["Logging:Console:FormatterOptions:SingleLine"] = "true",
        ["Logging:Console:FormatterOptions:UseUtcTimestamp"] = "true",
        ["Logging:Console:FormatterOptions:TimestampFormat"] = "yyyy-MM-ddTHH:mm:ssZ ",
    };

    /// <summary>A builder that reads only our own sources: an ASPNETCORE_URLS left in the environment must not move the ports.</summary>
    public static WebApplicationBuilder CreateBuilder(string[] args)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        builder.Configuration.Sources.Clear();
        builder.Configuration
            .AddInMemoryCollection(Defaults)
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
