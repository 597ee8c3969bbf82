using System.Net.WebSockets;
using ImageForge.Agent.Screen;
using ImageForge.Agent.Server;
using ImageForge.Agent.Tasks;
using ImageForge.Contracts;
using ImageForge.Imaging.Deploy.Arrivals;
using ImageForge.Multicast;
using ImageForge.Multicast.Channels;
using ImageForge.Multicast.Frames;

namespace ImageForge.Agent.Streams;

/// <summary>
/// The multicast session of a task: joins it, receives, joins again with what is lacking when the connection breaks, and says why whenever
/// the rest has to come over HTTP. Multicast never fails a deploy.
/// </summary>
internal sealed class StreamArrivals(MulticastOffer offer, TaskContext context) : IChunkArrivals
{
    public const string Path = "deploy/multicast";

    /// <summary>Connections in a row that broke without having brought a chunk.</summary>
    private const int MostFruitless = 4;

    private static readonly TimeSpan s_politeness = TimeSpan.FromSeconds(2);

    private static readonly ReceiveOutcome s_lost = new(ReceiveEnd.ChannelLost, new ChunkSet(0),
        new ReceiverFigures(0, 0, 0, 0, 0, 0, 0, 0, false, MemberLimit.None, null), new ReceiveFacts(null, false, null, 0, 0, 0, null));

    private readonly List<string> _notes = [];

    public StreamStatus Status { get; } = new();

    /// <summary>For the task's result: why chunks came over HTTP although there was a session.</summary>
    public IReadOnlyList<string> Notes => _notes;

    public async Task RunAsync(ArrivingChunks chunks, CancellationToken cancel)
    {
        var content = new SessionContent(chunks.Numbers.PlainLengths);
        var sink = new ArrivalSink(chunks, context.Traffic);
        var (backoff, fruitless) = (new Backoff(Random.Shared), 0);
        var lastGood = context.Time.GetTimestamp();
        while (chunks.LackingCount > 0)
        {
            var before = chunks.ArrivedBytes;
            var outcome = await TryReceiveAsync(content, sink, chunks, cancel);
            if (outcome is null)
                return;
            if (outcome.End != ReceiveEnd.ChannelLost)
            {
                Ended(outcome, chunks);
                return;
            }
            if (chunks.ArrivedBytes > before)
                (backoff, fruitless, lastGood) = (new Backoff(Random.Shared), 0, context.Time.GetTimestamp());
            Status.Say("joins the multicast session again");
            await Task.Delay(backoff.Next(), context.Time, cancel);
            // While the server is away there is nothing to fetch either; a session that breaks although the server answers is of no use.
            if (context.Connection.ServerAnswers && chunks.ArrivedBytes == before && ++fruitless == MostFruitless)
            {
                GoOn($"The connection to multicast session {offer.Session} broke {MostFruitless} times in a row; the rest comes over HTTP.");
                return;
            }
            // The fetch has patience of its own and the words for a server that is gone.
            if (context.Time.GetElapsedTime(lastGood) >= context.Connection.Patience)
                return;
        }
        Status.Say(null);
    }

    /// <returns>Null: there is no session to be had, and it has been said why.</returns>
    private async Task<ReceiveOutcome?> TryReceiveAsync(SessionContent content, ArrivalSink sink, ArrivingChunks chunks, CancellationToken cancel)
    {
        try
        {
            return await ReceiveAsync(content, sink, chunks, cancel);
        }
        catch (ServerAwayException e)
        {
            context.Display.Say($"multicast session {offer.Session} cannot be joined: {e.Message}");
            return s_lost;
        }
        catch (FailureException e)
        {
            GoOn($"No multicast: {e.Failure.Sentence} The chunks come over HTTP.");
        }
#pragma warning disable CA1031 // Whatever goes wrong with a stream, the chunks can still be fetched.
        catch (Exception e) when (e is not OperationCanceledException || !cancel.IsCancellationRequested)
#pragma warning restore CA1031
        {
            GoOn($"Multicast failed on this machine ({e.GetType().Name}: {e.Message.TrimEnd('.')}); the rest comes over HTTP.");
        }
        return null;
    }

    private async Task<ReceiveOutcome> ReceiveAsync(SessionContent content, ArrivalSink sink, ArrivingChunks chunks, CancellationToken cancel)
    {
        using var socket = await context.Connection.OpenWebSocketAsync(Path, cancel);
        using var channel = new WebSocketChannel(socket);
        var on = context.Listening();
        var lack = new ChunkSet(content.Chunks);
        foreach (var (first, length) in chunks.LackingRuns())
            lack.AddRun(first, length);
        context.Display.Say($"joins multicast session {offer.Session}{(on is null ? "" : $" on {on.Name}")}, {lack.Count} chunks are lacking");
        var receiver = new MulticastReceiver(
            new ReceiverOptions(on?.Name, on?.Index ?? 0, on?.Address, TimeSpan.FromSeconds(offer.PatienceSeconds)), content, channel, sink, context.Time);
        Status.Follow(receiver);
        var outcome = await receiver.RunAsync(lack, cancel);
        if (outcome.End != ReceiveEnd.ChannelLost)
            await CloseAsync(socket);
        return outcome;
    }

    private void Ended(ReceiveOutcome outcome, ArrivingChunks chunks)
    {
        switch (outcome.End)
        {
            case ReceiveEnd.NothingHeard:
                var on = context.Listening();
                var up = on is null ? null : context.Root.Number($"/sys/class/net/{on.Name}/carrier") is { } carrier ? carrier > 0 : (bool?)null;
                GoOn(SilentStream.Cause(outcome.Facts, on, context.Connection.Address, TimeSpan.FromSeconds(offer.PatienceSeconds), up) + " The chunks come over HTTP.");
                break;
            case ReceiveEnd.Stopped:
                GoOn($"Multicast session {offer.Session} was stopped on the server; the rest comes over HTTP.");
                break;
            case ReceiveEnd.GoOnOverHttp when outcome.Lacking.Count > 0:
                // Not worth a note: the last chunks of a machine that came late, or some that the stream could not give.
                Status.Say("HTTP");
                context.Display.Say($"multicast session {offer.Session} ended; {outcome.Lacking.Count} chunks come over HTTP");
                break;
            default:
                Status.Say(null);
                context.Display.Say($"multicast session {offer.Session}: complete, {Units.MiB(chunks.ArrivedBytes)} MiB received, {outcome.Figures.Missed} of {outcome.Figures.Missed + outcome.Figures.Verified} packets lost");
                break;
        }
    }

    private void GoOn(string why)
    {
        _notes.Add(why);
        Status.Say("HTTP");
        Status.Cause = why;
        context.Display.Notice(why);
    }

    /// <summary>A connection that is not closed looks like a machine that died.</summary>
    private static async Task CloseAsync(WebSocket socket)
    {
        using var polite = new CancellationTokenSource(s_politeness);
        try
        {
            await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, polite.Token);
        }
        catch (Exception e) when (e is WebSocketException or OperationCanceledException or IOException or ObjectDisposedException or InvalidOperationException)
        {
        }
    }
}
