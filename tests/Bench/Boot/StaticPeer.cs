using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace ImageForge.Bench.Boot;

/// <summary>nginx on loopback with one file per machine: the fastest that a site could do by generating scripts in advance.</summary>
internal sealed class StaticPeer : IAsyncDisposable
{
    private readonly Process _process;

    private StaticPeer(Process process, IPEndPoint http) => (_process, Http) = (process, http);

    public IPEndPoint Http { get; }

    private static string? Program { get; } = new[] { "/usr/sbin/nginx", "/usr/bin/nginx" }.FirstOrDefault(File.Exists);

    /// <summary>Null, or the sentence that says how to get the peer.</summary>
    public static string? Missing() => Program is null
        ? "bench boot compares with nginx, which is not installed: apt-get install --no-install-recommends nginx-light (and, to keep it from serving port 80: systemctl disable --now nginx)"
        : null;

    public static async Task<StaticPeer> StartAsync(string folder, IEnumerable<string> macs, string script)
    {
        var root = Directory.CreateDirectory(Path.Combine(folder, "peer", "boot")).FullName;
        foreach (var mac in macs)
            await File.WriteAllTextAsync(Path.Combine(root, mac), script);
        await File.WriteAllTextAsync(Path.Combine(root, "unknown.ipxe"), script);
        var port = Ports.Free();
        var config = Path.Combine(folder, "peer", "nginx.conf");
        await File.WriteAllTextAsync(config, $$"""
            daemon off;
            {{(Environment.IsPrivilegedProcess ? "user root;" : "")}}
            worker_processes auto;
            pid {{folder}}/peer/nginx.pid;
            error_log {{folder}}/peer/error.log;
            events { worker_connections 1024; }
            http {
                access_log off;
                sendfile on;
                tcp_nopush on;
                keepalive_requests 10000000;
                default_type text/plain;
                client_body_temp_path {{folder}}/peer/t1;
                proxy_temp_path {{folder}}/peer/t2;
                fastcgi_temp_path {{folder}}/peer/t3;
                uwsgi_temp_path {{folder}}/peer/t4;
                scgi_temp_path {{folder}}/peer/t5;
                server {
                    listen 127.0.0.1:{{port}};
                    root {{folder}}/peer;
                    location /boot/ { try_files $uri /boot/unknown.ipxe; }
                }
            }

            """);
        var process = Process.Start(new ProcessStartInfo(Program!) { ArgumentList = { "-c", config, "-p", $"{folder}/peer" }, RedirectStandardError = true })!;
        var http = new IPEndPoint(IPAddress.Loopback, port);
        for (var i = 0; i < 100; i++)
        {
            if (process.HasExited)
                throw new InvalidOperationException($"nginx ended: {await process.StandardError.ReadToEndAsync()}");
            try
            {
                using var probe = new TcpClient();
                await probe.ConnectAsync(http);
                return new StaticPeer(process, http);
            }
            catch (SocketException)
            {
                await Task.Delay(100);
            }
        }
        process.Kill(entireProcessTree: true);
        throw new InvalidOperationException("nginx did not listen within 10 s");
    }

    public async ValueTask DisposeAsync()
    {
        _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
    }
}

internal static class Ports
{
    public static int Free()
    {
        var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        listener.Stop();
        return port;
    }
}
