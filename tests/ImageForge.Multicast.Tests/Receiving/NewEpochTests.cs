using System.Buffers;
using System.Net;
using ImageForge.Multicast.Frames;
using ImageForge.Multicast.Messages;
using ImageForge.Multicast.Packets;
using ImageForge.Multicast.Receiving;
using ImageForge.Multicast.Tests.Sessions;

namespace ImageForge.Multicast.Tests.Receiving;

/// <summary>What a member keeps, and does not keep, when a welcome begins a new epoch. Times are microseconds.</summary>
[Collection("loopback")]
public sealed class NewEpochTests
{
    [Fact]
    public void Requests_of_the_epoch_before_are_not_sent_for_blocks_of_this_one()
    {
        var core = new ReceiverCore(new ReceiverCoreOptions(5_000_000), ChunkSet.Full(10), new NoChance());
        var said = new List<ControlMessage>();
        core.Welcome(1, 1, 1408, 0);
        // Among so many members a request waits a second for the next report.
        core.Hear(new StepMessage(true, false, 1000), 0);
        core.Poll(0, default, said, out _);
        for (ulong sequence = 1; sequence < 10; sequence++)
        {
            Assert.True(core.Verified(PacketKind.Fragment, sequence, 0, 1_000));
            Assert.Equal(Admission.Open, core.Admit(0, 10 * 1408, true));
            core.TookFragment(0, 0);
        }
        core.Verified(PacketKind.Fragment, 11, 1, 2_000);
        core.Poll(70_000, default, said, out _);
        Assert.DoesNotContain(said, message => message is NackMessage);

        core.Welcome(1, 2, 1408, 80_000);
        Assert.True(core.Verified(PacketKind.Fragment, 1, 0, 81_000));
        Assert.Equal(Admission.Open, core.Admit(0, 20 * 1408, true));
        core.TookFragment(0, 0);
        said.Clear();
        core.Poll(82_000, default, said, out _);
        Assert.Contains(said, message => message is ReportMessage);
        Assert.DoesNotContain(said, message => message is NackMessage);
    }

    [Fact]
    public async Task The_end_of_a_pass_that_comes_right_behind_a_welcome_is_answered()
    {
        using var session = new LoopbackSession(chunks: 10, longest: 4096);
        var content = new SessionContent([.. Enumerable.Repeat(4096, 10)]);
        var core = new ReceiverCore(new ReceiverCoreOptions(5_000_000), ChunkSet.Full(10), new NoChance());
        var begun = TimeProvider.System.GetTimestamp();
        using var thread = new ReceivingThread(new ReceiverOptions("lo", 1, IPAddress.Loopback, TimeSpan.FromSeconds(5)), content, core, session.NewSink(),
            () => TimeProvider.System.GetElapsedTime(begun).Ticks / TimeSpan.TicksPerMicrosecond);
        var buffer = new ArrayBufferWriter<byte>();
        new WelcomeMessage(ControlMessage.Version, 1, 1, 7, new byte[16], new byte[4], session.Group.Group, (ushort)session.Group.Port, 1408, 10).Write(buffer);
        new PassEndMessage(1, 0, 0).Write(buffer);
        Assert.True(thread.Hear(buffer.WrittenSpan));

        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(session.Cancel);
        var receiving = thread.RunAsync(cancel.Token);
        LackMessage? lack = null;
        for (var i = 0; i < 200 && lack is null; i++)
        {
            thread.Beat();
            while (thread.Said.TryRead(out var messages))
                lack ??= messages.OfType<LackMessage>().FirstOrDefault();
            await Task.Delay(10);
        }
        await cancel.CancelAsync();
        await receiving;

        Assert.Equal((1u, 10), (lack?.Pass, lack?.Lacking.Count));
    }

    private sealed class NoChance : Random
    {
        public override long NextInt64(long maxValue) => 0;
    }
}
