using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using ImageForge.Multicast;

namespace ImageForge.MulticastPeer;

/// <summary>
/// A sender. Commands: <c>start</c>, <c>rate BITS</c>, <c>figures</c>, <c>next</c> (ends this session; members come back for the next content),
/// <c>stop</c>. Says <c>ready</c>, <c>joined NAME</c>, <c>started AT</c>, <c>left NAME END</c>, and figures as <c>name=value</c> words.
/// </summary>
internal sealed class SendPeer(PeerOptions options)
{
    private MulticastSender? _sender;
    private uint _epoch;

    public async Task RunAsync()
    {
        using var certificate = SecureChannel.MakeCertificate();
        using var listener = new TcpListener(options.Address("listen"));
        listener.Start();
        var contents = options["content"].Split(',').Select(folder => new ContentFolder(folder)).ToArray();
        var current = contents[0];
        _ = AcceptAsync(listener, certificate);
        _ = Rest.ServeAsync(options.Address("listen"), () => current, certificate);
        foreach (var content in contents)
        {
            current = content;
            using var stop = new CancellationTokenSource();
            await using var sender = new MulticastSender(SenderOptions(), content.Content, content, TimeProvider.System);
            _sender = sender;
            var running = sender.RunAsync(stop.Token);
            _ = running.ContinueWith(ended => Console.Error.WriteLine(ended.Exception), CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
            Console.WriteLine("ready");
            var goOn = Obey(sender);
            sender.Stop();
            await stop.CancelAsync();
            await Task.WhenAny(running);
            if (!goOn)
                break;
        }
    }

    private SenderOptions SenderOptions()
    {
        var group = options.Address("group");
        return new SenderOptions(
            new GroupEndpoint(group.Address, group.Port), null, PeerOptions.InterfaceIndex, (int)options.Number("ttl", 1), (int)options.Number("fragment", 1408),
            (int)options.Number("batch", 44), ++_epoch, options.Find("rate") is null ? null : options.Number("rate", 0),
            options.Find("wait") is null ? StartRule.FirstHost : StartRule.Scheduled((int)options.Number("wait", 1), null));
    }

    /// <summary>True: to the next content.</summary>
    private static bool Obey(MulticastSender sender)
    {
        while (Console.ReadLine() is { } line)
        {
            switch (line.Split(' '))
            {
                case ["start"]:
                    Console.WriteLine($"started {Stopwatch.GetTimestamp()}");
                    sender.StartNow();
                    break;
                case ["rate", var bits]:
                    sender.BitsPerSecond = double.Parse(bits, CultureInfo.InvariantCulture);
                    break;
                case ["figures"]:
                    Console.WriteLine(Words(sender.Figures()));
                    break;
                case ["next"]:
                    return true;
                default:
                    return false;
            }
        }
        return false;
    }

    private static string Words(SenderFigures figures) => string.Create(CultureInfo.InvariantCulture,
        $"figures state={figures.State} rate={figures.BitsPerSecond:F0} sent={figures.BytesSent} repair={figures.RepairShare:F5} pass={figures.Pass} done={figures.ChunksDone} cpu={Environment.CpuUsage.TotalTime.TotalSeconds:F2} members=")
        + string.Join(';', figures.Members.Select(m => string.Create(CultureInfo.InvariantCulture,
            $"{m.Name},rate:{m.BitsPerSecond:F0},loss:{m.Loss:F4},drops:{m.SocketDrops},waiting:{m.WaitingBytes},lacking:{m.ChunksLacking},{(m.InStep ? "in-step" : "behind")},{m.Limit}")));

    private async Task AcceptAsync(TcpListener listener, X509Certificate2 certificate)
    {
        while (true)
            _ = ServeAsync(await listener.AcceptSocketAsync(), certificate);
    }

    private async Task ServeAsync(Socket socket, X509Certificate2 certificate)
    {
        var name = ((IPEndPoint)socket.RemoteEndPoint!).Address.ToString();
        try
        {
            using var channel = await SecureChannel.AcceptAsync(socket, certificate);
            while (_sender is null)
                await Task.Delay(10);
            Console.WriteLine($"joined {name}");
            var end = await _sender.ServeAsync(channel, name, CancellationToken.None);
            Console.WriteLine($"left {name} {end}");
        }
        catch (Exception e)
        {
            Console.WriteLine($"left {name} {e.GetType().Name}");
            Console.Error.WriteLine(e);
        }
        finally
        {
            socket.Dispose();
        }
    }
}
