using ImageForge.Multicast.Sending;

namespace ImageForge.Multicast.Tests.Sending;

public sealed class MemberAllowanceTests
{
    private readonly ManualTime _time = new();

    [Fact]
    public void The_only_pacer_of_a_session_never_waits()
    {
        var allowance = new MemberAllowance(_time);
        for (var i = 0; i < 20_000; i++)
        {
            _time.Ticks += TimeSpan.TicksPerMillisecond;
            Assert.Equal(TimeSpan.Zero, allowance.Spend(300, hasLack: i % 1000 == 0));
        }
    }

    [Fact]
    public void Who_floods_the_sender_is_read_twenty_times_a_second()
    {
        var allowance = new MemberAllowance(_time);
        for (var i = 0; i < 1000; i++)
        {
            var wait = allowance.Spend(100, hasLack: true);
            Assert.InRange(wait, TimeSpan.Zero, TimeSpan.FromSeconds(2));
            _time.Ticks += wait.Ticks;
        }
        Assert.InRange(TimeSpan.FromTicks(_time.Ticks).TotalSeconds, 45, 55);
    }

    private sealed class ManualTime : TimeProvider
    {
        public long Ticks { get; set; }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Ticks;
    }
}
