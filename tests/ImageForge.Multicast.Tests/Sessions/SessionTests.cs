using System.Net;
using Xunit.Abstractions;

namespace ImageForge.Multicast.Tests.Sessions;

/// <summary>Sender and receivers with real sockets, threads and keys, on the loopback interface.</summary>
public sealed class SessionTests(ITestOutputHelper output)
{
    private static int s_port = 30_000 + (Environment.ProcessId % 10_000);

    private readonly FrameDisk _disk = new(seed: 1, chunks: 300, longest: 256 << 10);

    [Fact]
    public async Task Four_members_get_every_frame_as_it_is()
    {
        await using var sender = NewSender(epoch: 1);
        using var cancel = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        var running = sender.RunAsync(cancel.Token);
        var started = TimeProvider.System.GetTimestamp();

        var members = Enumerable.Range(0, 4).Select(i => RunMember(sender, $"pc{i}", ChunkSet.Full(300), cancel.Token)).ToList();
        var ends = await Task.WhenAll(members);

        output.WriteLine($"{TimeProvider.System.GetElapsedTime(started)} {sender.Figures()}");
        Assert.All(ends, end => Assert.Equal((ReceiveEnd.Complete, MemberEnd.Complete, 0, 300, 0, 0),
            (end.Outcome.End, end.Served, end.Outcome.Lacking.Count, end.Sink.Taken, end.Sink.Wrong, end.Sink.TakenTwice)));
        sender.Stop();
        await running;
    }

    private MulticastSender NewSender(uint epoch, double? bitsPerSecond = null)
    {
        var endpoint = new GroupEndpoint(IPAddress.Parse("239.255.77.1"), Interlocked.Increment(ref s_port));
        return new MulticastSender(new SenderOptions(endpoint, null, 1, 1, 1408, 44, epoch, bitsPerSecond, StartRule.FirstHost, Loopback: true), _disk.Content, _disk, TimeProvider.System);
    }

    private async Task<(ReceiveOutcome Outcome, MemberEnd Served, CheckingSink Sink)> RunMember(MulticastSender sender, string name, ChunkSet lacking, CancellationToken cancel)
    {
        var pair = new ChannelPair();
        var sink = new CheckingSink(_disk);
        var serving = sender.ServeAsync(pair.Sender, name, cancel);
        _ = serving.ContinueWith(_ => pair.Break(), TaskScheduler.Default);
        var receiver = new MulticastReceiver(new ReceiverOptions("lo", 1, IPAddress.Loopback, TimeSpan.FromSeconds(5)), _disk.Content, pair.Member, sink, TimeProvider.System);
        var outcome = await receiver.RunAsync(lacking, cancel);
        output.WriteLine($"{name}: {outcome.End} {outcome.Figures} {outcome.Facts}");
        return (outcome, await serving, sink);
    }
}
