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
        CheckFlags(args);
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

    /// <summary>A flag that is misspelt must not be passed over in silence: the server would run otherwise than meant.</summary>
    private static void CheckFlags(string[] args)
    {
        for (var i = 0; i < args.Length; i++)
        {
            var equals = args[i].IndexOf('=', StringComparison.Ordinal);
            var name = equals < 0 ? args[i] : args[i][..equals];
            if (!Flags.ContainsKey(name) && !(name.StartsWith("--", StringComparison.Ordinal) && name.Contains(':', StringComparison.Ordinal)))
                throw new StartUpException($"{name} is not a flag; use one of {string.Join(", ", Flags.Keys.Order(StringComparer.Ordinal))}, or --ImageForge:Section:Key.");
            if (equals >= 0)
                continue;
            if (i + 1 == args.Length || args[i + 1].StartsWith("--", StringComparison.Ordinal))
                throw new StartUpException($"{name} lacks its value; write {name}=value.");
            i++;
        }
    }
}
