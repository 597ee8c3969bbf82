using System.Diagnostics;
using System.Globalization;
using ImageForge.Multicast;

namespace ImageForge.MulticastPeer;

/// <summary>
/// A receiver, one session per content; with <c>--fetch</c> what the stream leaves over comes over a connection of its own. Says <c>joining</c> and, when every chunk it was given is verified and written,
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
        var lacking = ChunkSet.Full(content.Content.Chunks);
        ReceiveOutcome outcome;
        var joins = 0;
        do
        {
            // As the agent does: who lost the connection comes back with what it lacks then.
            outcome = await JoinAsync(content, sink, lacking);
            lacking = outcome.Lacking;
        }
        while (outcome.End is ReceiveEnd.ChannelLost && ++joins < 5);
        var fetched = 0;
        if (options.Find("fetch") is not null)
            fetched = await FetchAsync(outcome.Lacking, sink);
        var written = sink.Finish();
        var at = Stopwatch.GetTimestamp();
        var (figures, facts) = (outcome.Figures, outcome.Facts);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"end={outcome.End} at={at} written={written} fetched={fetched} lacking={outcome.Lacking.Count} verified={figures.Verified} missed={figures.Missed} refused={figures.Refused} drops={figures.SocketDrops} turned={figures.BlocksTurnedAway} strangers={facts.Strangers} joined={facts.Joined} again={joins} cpu={Environment.CpuUsage.TotalTime.TotalSeconds:F2} peak={Process.GetCurrentProcess().PeakWorkingSet64 >> 20}"));
    }

    private async Task<ReceiveOutcome> JoinAsync(ContentFolder content, DiscardSink sink, ChunkSet lacking)
    {
        using var channel = await SecureChannel.ConnectAsync(options.Address("server"), CancellationToken.None);
        var receiverOptions = new ReceiverOptions("eth0", PeerOptions.InterfaceIndex, null, TimeSpan.FromSeconds(options.Number("patience", 5)), options.Number("scale", 1));
        var receiver = new MulticastReceiver(receiverOptions, content.Content, channel, sink, TimeProvider.System);
        Console.WriteLine("joining");
        return await receiver.RunAsync(lacking, CancellationToken.None);
    }

    private async Task<int> FetchAsync(ChunkSet lacking, DiscardSink sink)
    {
        var fetched = 0;
        await foreach (var (chunk, frame) in Rest.FetchAsync(options.Address("server"), lacking.Runs().SelectMany(run => Enumerable.Range(run.First, run.Length))))
        {
            await sink.TakeAsync(chunk, frame, CancellationToken.None);
            fetched++;
        }
        return fetched;
    }
}
