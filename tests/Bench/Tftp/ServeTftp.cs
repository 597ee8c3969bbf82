using System.Net;
using ImageForge.NetBoot.Tftp;

namespace ImageForge.Bench.Tftp;

/// <summary>Our server in a process of its own, as dnsmasq has one: <c>serve-tftp &lt;folder&gt; &lt;port&gt;</c>. Ends when its standard input does.</summary>
internal static class ServeTftp
{
    public static async Task<int> RunAsync(string[] args)
    {
        using var files = new FolderTftpFiles(args[0]);
        var options = new TftpServerOptions(IPAddress.Loopback, int.Parse(args[1]))
        {
            // As dnsmasq with --tftp-max=200: every client of the bench has the same address.
            MaxTransfersPerSource = 200,
        };
        await using var server = new TftpServer(options, files, TimeProvider.System, static _ => { });
        server.Start();
        Console.WriteLine("ready");
        await Console.In.ReadToEndAsync();
        return 0;
    }
}
