using Xunit.Abstractions;

namespace ImageForge.Multicast.Tests.Sessions;

/// <summary>Sender and receivers with real sockets, threads and keys, on the loopback interface.</summary>
[Collection("loopback")]
public sealed class SessionTests(ITestOutputHelper output) : IDisposable
{
    private readonly LoopbackSession _session = new(chunks: 300, longest: 256 << 10);

    [Fact]
    public async Task Four_members_get_every_frame_as_it_is()
    {
        await using var sender = _session.NewSender(epoch: 1);
        var running = sender.RunAsync(_session.Cancel);
        var ends = await Task.WhenAll(Enumerable.Range(0, 4).Select(i => _session.RunMember(sender, $"pc{i}")));
        foreach (var end in ends)
            output.WriteLine($"{end.Outcome.End} {end.Outcome.Figures} {end.Outcome.Facts}");

        Assert.All(ends, Complete);
        var figures = sender.Figures();
        Assert.Equal((300, 0, 0L), (figures.ChunksDone, figures.Members.Count, figures.Refused));
        sender.Stop();
        await running;
    }

    [Fact]
    public async Task A_sender_killed_and_started_again_goes_on_under_new_keys_and_repeats_no_nonce()
    {
        using var spy = new NonceSpy(_session.Group);
        var member = new PersistentMember(_session, ChunkSet.Full(_session.Chunks));
        var epochs = new List<uint>();
        for (uint epoch = 1; member.Lacking.Count > 0; epoch++)
        {
            Assert.InRange(epoch, 1u, 20u);
            await using var sender = _session.NewSender(epoch, bitsPerSecond: 200e6);
            using var kill = CancellationTokenSource.CreateLinkedTokenSource(_session.Cancel);
            var running = sender.RunAsync(kill.Token);
            var joined = member.JoinAsync(sender, kill.Token);
            // Killed when a seventh more has come, five times over.
            while (!joined.IsCompleted && (epoch >= 6 || member.Sink.Taken < epoch * _session.Chunks / 7))
                await Task.WhenAny(joined, Task.Delay(5));
            // As a kill -9 would: nobody is told anything.
            await kill.CancelAsync();
            member.Break();
            await joined;
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
            epochs.Add(sender.Figures().Epoch);
        }

        output.WriteLine($"{spy.Packets} packets of {spy.Tags} keys, epochs {string.Join(", ", epochs)}, ends {string.Join(", ", member.Ends)}");
        Assert.Equal(epochs.Count, spy.Tags);
        Assert.InRange(epochs.Count, 4, 20);
        Assert.InRange(spy.Packets, 10_000, int.MaxValue);
        Assert.Equal(0, spy.Repeated);
        Assert.Equal((_session.Chunks, 0, 0), (member.Sink.Taken, member.Sink.TakenTwice, member.Sink.Wrong));
    }

    [Fact]
    public async Task Before_its_sequences_end_a_sender_takes_a_new_key()
    {
        using var spy = new NonceSpy(_session.Group);
        await using var sender = _session.NewSender(epoch: 1, sequenceEnd: 12_000);
        var running = sender.RunAsync(_session.Cancel);
        var ends = await Task.WhenAll(Enumerable.Range(0, 2).Select(i => _session.RunMember(sender, $"pc{i}")));
        output.WriteLine($"{spy.Packets} packets of {spy.Tags} keys, epoch {sender.Figures().Epoch}");

        Assert.All(ends, Complete);
        Assert.InRange(spy.Tags, 3, 20);
        Assert.Equal(0, spy.Repeated);
        sender.Stop();
        await running;
    }

    [Fact]
    public async Task A_scheduled_cast_waits_without_losing_patience_until_it_is_told_to_start()
    {
        await using var sender = _session.NewSender(epoch: 1, start: StartRule.Scheduled(3, null));
        var running = sender.RunAsync(_session.Cancel);
        var ends = Task.WhenAll(Enumerable.Range(0, 2).Select(i => _session.RunMember(sender, $"pc{i}", patience: TimeSpan.FromSeconds(1))));
        await Task.Delay(2000);
        Assert.False(ends.IsCompleted);
        Assert.Equal((SenderState.Waiting, 0), (sender.Figures().State, sender.Figures().Pass));

        sender.StartNow();
        Assert.All(await ends, Complete);
        sender.Stop();
        await running;
    }

    [Fact]
    public async Task A_session_that_is_stopped_sends_its_members_to_http()
    {
        await using var sender = _session.NewSender(epoch: 1, bitsPerSecond: 50e6);
        var running = sender.RunAsync(_session.Cancel);
        var member = _session.RunMember(sender, "pc0");
        await Task.Delay(500);
        sender.Stop();
        await running;

        var (outcome, served, sink) = await member;
        Assert.Equal((ReceiveEnd.Stopped, MemberEnd.Stopped), (outcome.End, served));
        Assert.Equal(_session.Chunks, outcome.Lacking.Count + sink.Taken);
    }

    public void Dispose() => _session.Dispose();

    private static void Complete((ReceiveOutcome Outcome, MemberEnd Served, CheckingSink Sink) end)
    {
        Assert.Equal((0, 0), (end.Sink.Wrong, end.Sink.TakenTwice));
        // Who joins a packet late may be sent to HTTP for the first block.
        Assert.InRange(end.Outcome.Lacking.Count, 0, 16);
        Assert.Equal(300, end.Sink.Taken + end.Outcome.Lacking.Count);
        Assert.Equal(end.Outcome.Lacking.Count == 0 ? ReceiveEnd.Complete : ReceiveEnd.GoOnOverHttp, end.Outcome.End);
        Assert.True(end.Served is MemberEnd.Complete or MemberEnd.GoesOnOverHttp);
    }
}
