using System.Diagnostics;
using System.Net;
using ImageForge.NetBoot.Sockets;

namespace ImageForge.Bench.Tftp;

/// <summary>The same clients for both servers: one thread, all downloads at once.</summary>
internal static class TftpClients
{
    /// <summary>Seconds until the last of <paramref name="clients"/> downloads is complete; failures are printed and give null.</summary>
    public static double? Run(IPEndPoint server, string file, byte[] expected, int clients, int blockSize, int window)
    {
        var watch = Stopwatch.StartNew();
        using var epoll = new Epoll();
        var downloads = new TftpDownload[clients];
        for (var i = 0; i < clients; i++)
        {
            downloads[i] = new TftpDownload(file, expected, blockSize, window, server, watch.Elapsed.Ticks);
            epoll.Add(downloads[i].Socket.Descriptor, (ulong)i);
        }
        var buffer = new byte[70_000];
        var left = clients;
        var nextSweep = 0L;
        while (left > 0)
        {
            var ready = epoll.Wait(100);
            var now = watch.Elapsed.Ticks;
            for (var i = 0; i < ready; i++)
            {
                var download = downloads[(int)epoll.Data(i)];
                var before = download.Done;
                download.OnReadable(buffer, now);
                left -= download.Done && !before ? 1 : 0;
            }
            if (now < nextSweep)
                continue;
            nextSweep = now + TimeSpan.FromMilliseconds(100).Ticks;
            foreach (var download in downloads.Where(d => !d.Done))
            {
                download.OnTime(now);
                left -= download.Done ? 1 : 0;
            }
        }
        var seconds = watch.Elapsed.TotalSeconds;
        var failed = downloads.Where(d => d.Failure is not null).ToList();
        foreach (var download in failed.Take(5))
            Console.WriteLine($"  FAILED {file}: {download.Failure}");
        if (downloads.Sum(d => d.Retransmissions) is > 0 and var repeated)
            Console.WriteLine($"  {repeated} retransmissions by clients of {file}");
        foreach (var download in downloads)
            download.Dispose();
        return failed.Count == 0 ? seconds : null;
    }
}
