using ImageForge.Multicast.Messages;
using ImageForge.Multicast.Sending;

namespace ImageForge.Multicast.Tests.Sending;

/// <summary>Times are microseconds.</summary>
public sealed class SenderCoreTests
{
    private const int Chunks = 100;

    private readonly SenderCore _core = new(new SenderCoreOptions(1408, 44, 1, null, (1, null)), Chunks, 0);
    private readonly PlannedPacket[] _packets = new PlannedPacket[64];

    [Fact]
    public void A_sender_that_stood_still_forgets_nobody_for_it()
    {
        Join("one");
        Drive(0, 100_000);
        Drive(5_100_000, 7_900_000);
        Assert.Empty(_core.Forgotten);
        Assert.Single(_core.Members);

        Drive(8_000_000, 8_300_000);
        Assert.Single(_core.Forgotten);
        Assert.Empty(_core.Members);
    }

    [Fact]
    public void Who_does_not_answer_the_end_of_a_pass_is_told_that_nobody_waits_for_it()
    {
        var (one, mute) = (Join("one"), Join("mute"));
        Drive(0, 4_000_000, now =>
        {
            foreach (var number in (int[])[one, mute])
                _core.Hear(number, new ReportMessage((byte)_core.Epoch, _core.Sequence, _core.Sequence, 0, 0, 0, 0, Chunks, 0, MemberLimit.None), now);
            _core.Hear(one, new LackMessage(_core.Pass, ChunkSet.Full(Chunks)), now);
        }, until: () => _core.Pass == 2);

        Assert.Equal(2u, _core.Pass);
        Assert.Contains(_core.Outbox, sent => sent.Member == mute && sent.Message is StepMessage { InStep: false });
        Assert.DoesNotContain(_core.Outbox, sent => sent.Member == one && sent.Message is StepMessage { InStep: false });
    }

    private int Join(string name) => _core.Join(name, new JoinMessage(1, 4096, ChunkSet.Full(Chunks)), 0)!.Value;

    private void Drive(long from, long to, Action<long>? hear = null, Func<bool>? until = null)
    {
        for (var now = from; now <= to && until?.Invoke() != true; now += 1_000)
        {
            while (_core.WantsBlock && _core.TryTakeChunk(out _))
                _core.BeginBlock(_core.NextBlock, 10_000, 1);
            _core.Next(now, _packets, out _);
            hear?.Invoke(now);
        }
    }
}
