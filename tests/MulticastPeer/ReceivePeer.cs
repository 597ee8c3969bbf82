using System.Diagnostics;
using System.Globalization;
using ImageForge.Multicast;

namespace ImageForge.MulticastPeer;

/// <summary>
/// A receiver, one session per content. Says <c>joining</c> and, when every chunk it was given is verified and written,
/// <c>end=… at=… written=… lacking=…</c> and its figures; then it waits for a line before it goes on to the next content.
/// </summary>
internal sealed class ReceivePeer(PeerOptions options)
{
    public async Task RunAsync()
    {
        var folders = options["content"].Split(',');
        for (var i = 0; i < folders.Length; i++)
        {
            using var content = new ContentFolder(folders[i]);
            await ReceiveAsync(content, last: i == folders.Length - 1);
            if (i < folders.Length - 1)
                Console.ReadLine();
        }
    }

    private async Task ReceiveAsync(ContentFolder content, bool last)
    {
        using var sink = new DiscardSink(content, last && options.Find("sink") is not null ? options.Number("sink", 0) : null);
        using var channel = await SecureChannel.ConnectAsync(options.Address("server"), CancellationToken.None);
        var receiverOptions = new ReceiverOptions("eth0", PeerOptions.InterfaceIndex, null, TimeSpan.FromSeconds(options.Number("patience", 5)), options.Number("scale", 1));
        var receiver = new MulticastReceiver(receiverOptions, content.Content, channel, sink, TimeProvider.System);
        Console.WriteLine("joining");
        var outcome = await receiver.RunAsync(ChunkSet.Full(content.Content.Chunks), CancellationToken.None);
        var written = sink.Finish();
        var at = Stopwatch.GetTimestamp();
        var (figures, facts) = (outcome.Figures, outcome.Facts);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"end={outcome.End} at={at} written={written} lacking={outcome.Lacking.Count} verified={figures.Verified} missed={figures.Missed} refused={figures.Refused} drops={figures.SocketDrops} turned={figures.BlocksTurnedAway} strangers={facts.Strangers} joined={facts.Joined} cpu={Environment.CpuUsage.TotalTime.TotalSeconds:F2} peak={Process.GetCurrentProcess().PeakWorkingSet64 >> 20}"));
    }
}
