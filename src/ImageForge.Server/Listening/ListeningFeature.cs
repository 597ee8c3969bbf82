using System.Net;
using ImageForge.Server.Configuration;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace ImageForge.Server.Listening;

internal static class ListeningFeature
{
    /// <summary>Largest body of an ordinary request; <c>/agent</c> has none.</summary>
    private const long MaxApiBodyBytes = 1 << 20;

    public static void AddListening(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<ServerCertificate>();
        builder.Services.AddSingleton<ServerAddresses>();
        builder.WebHost.ConfigureKestrel(static kestrel =>
        {
            var options = kestrel.ApplicationServices.GetRequiredService<ServerOptions>();
            var certificate = kestrel.ApplicationServices.GetRequiredService<ServerCertificate>();
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = MaxApiBodyBytes;
            Listen(kestrel, options, options.Http.Port, static listen => listen.Protocols = HttpProtocols.Http1);
            Listen(kestrel, options, options.Https.Port, listen => listen.UseHttps(certificate.Certificate));
        });
    }

    /// <summary>First in the pipeline.</summary>
    public static void UseListeningRules(this WebApplication app) => app.UseMiddleware<PlainHttpMiddleware>();

    private static void Listen(KestrelServerOptions kestrel, ServerOptions options, int port, Action<ListenOptions> configure)
    {
        if (port is < 0 or > IPEndPoint.MaxPort)
            throw new StartUpException($"{port} is not a port; give 1 to {IPEndPoint.MaxPort} with --http-port and --https-port.");
        if (string.IsNullOrWhiteSpace(options.ListenAddress))
            kestrel.ListenAnyIP(port, configure);
        else if (IPAddress.TryParse(options.ListenAddress, out var address))
            kestrel.Listen(address, port, configure);
        else
            throw new StartUpException($"ImageForge:ListenAddress is \"{options.ListenAddress}\", which is not an IP address; give one of this machine's addresses or leave it out to listen on all.");
    }
}
