using ImageForge.Agent.Streams;
using ImageForge.Multicast;

namespace ImageForge.Agent.Tests.Streams;

public sealed class StreamStatusTests
{
    private static readonly ReceiverFigures s_figures = new(412.4e6, 995, 5, 0, 0, 0, 100, 1, true, MemberLimit.None, null);

    [Fact]
    public void Tells_rate_and_loss() => Assert.Equal("multicast 412 Mbit/s, 0.5 % lost", StreamStatus.Describe(s_figures));

    [Fact]
    public void Tells_how_much_was_repair() => Assert.Equal("multicast 412 Mbit/s, 0.5 % lost, 2 % repair", StreamStatus.Describe(s_figures with { RepairShare = 0.02 }));

    [Fact]
    public void Tells_that_nobody_waits_for_this_machine() => Assert.Equal("multicast 412 Mbit/s, 0.5 % lost, catches up later", StreamStatus.Describe(s_figures with { InStep = false }));

    [Fact]
    public void Tells_what_a_scheduled_cast_waits_for()
    {
        var waiting = s_figures with { Waiting = new WaitingForStart(3, 10, TimeSpan.FromSeconds(95)) };
        Assert.Equal("multicast waits to start: 3 of 10 machines are here, 95 s left", StreamStatus.Describe(waiting));
        Assert.Equal("multicast waits to start: 3 of 10 machines are here", StreamStatus.Describe(waiting with { Waiting = new WaitingForStart(3, 10, null) }));
    }

    [Fact]
    public void Before_the_first_packet_nothing_is_lost() => Assert.Equal("multicast 0 Mbit/s, 0 % lost", StreamStatus.Describe(s_figures with { BitsPerSecond = 0, Verified = 0, Missed = 0 }));
}
