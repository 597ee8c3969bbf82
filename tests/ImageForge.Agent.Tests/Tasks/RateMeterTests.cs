using ImageForge.Agent.Tasks;
using ImageForge.Contracts;

namespace ImageForge.Agent.Tests.Tasks;

public sealed class RateMeterTests
{
    private readonly SteppedTime _time = new();
    private readonly RateMeter _meter;

    public RateMeterTests() => _meter = new RateMeter(_time);

    [Fact]
    public void The_rate_is_that_of_the_last_seconds_not_of_the_whole_run()
    {
        for (var second = 0; second < 30; second++)
            Sample(second * 10_000_000L);
        for (var second = 1; second <= 20; second++)
            Sample(290_000_000 + second * 1_000_000L);

        Assert.Equal(1_000_000, _meter.BytesPerSecond, 1.0);
        Assert.Equal(TimeSpan.FromSeconds(90), _meter.Remaining(310_000_000, 400_000_000));
    }

    [Fact]
    public void A_new_phase_starts_from_nothing()
    {
        Sample(0);
        Sample(50_000_000);
        Sample(10, HostTaskState.Verifying);

        Assert.Equal(0, _meter.BytesPerSecond);
        Assert.Null(_meter.Remaining(10, 100));
    }

    private void Sample(long bytes, HostTaskState phase = HostTaskState.Transferring)
    {
        _meter.Sample(phase, bytes);
        _time.Step(TimeSpan.FromSeconds(1));
    }

    private sealed class SteppedTime : TimeProvider
    {
        private long _ticks;
        public override long TimestampFrequency => TimeSpan.TicksPerSecond;
        public override long GetTimestamp() => _ticks;
        public void Step(TimeSpan by) => _ticks += by.Ticks;
    }
}
