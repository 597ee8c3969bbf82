using ImageForge.Imaging.Pipelines;

namespace ImageForge.Imaging.Tests.Pipelines;

public sealed class StageTimesTests
{
    private sealed class Clock : TimeProvider
    {
        public long Milliseconds { get; set; }
        public override long TimestampFrequency => 1000;
        public override long GetTimestamp() => Milliseconds;
    }

    private sealed class Remote : IRemoteTimes
    {
        public TimeSpan ServerTime { get; set; }
    }

    private readonly Clock _clock = new();
    private readonly Remote _remote = new();

    private Bottleneck After(int disk, int cpu, int transfer, int server, IRemoteTimes? remote)
    {
        var times = new StageTimes(remote, _clock);
        times.SetWorkers(disk: 2, cpu: 2, transfer: 4);
        Assert.Equal(Bottleneck.Unknown, times.Read());
        _clock.Milliseconds += 1000;
        _remote.ServerTime += TimeSpan.FromMilliseconds(server);
        times.Add(StageTimes.Stage.Disk, _clock.Milliseconds - disk);
        times.Add(StageTimes.Stage.Cpu, _clock.Milliseconds - cpu);
        times.Add(StageTimes.Stage.Transfer, _clock.Milliseconds - transfer);
        return times.Read();
    }

    // Milliseconds of work within one second: of two readers, two workers, four senders, and of the server for those four.
    [Theory]
    [InlineData(1900, 500, 1000, 0, Bottleneck.Disk)]
    [InlineData(900, 2000, 1000, 0, Bottleneck.Cpu)]
    [InlineData(300, 800, 3900, 500, Bottleneck.Network)]
    [InlineData(300, 800, 3900, 3000, Bottleneck.Server)]
    [InlineData(100, 100, 100, 0, Bottleneck.Unknown)]
    public void The_busiest_stage_is_named(int disk, int cpu, int transfer, int server, Bottleneck expected) =>
        Assert.Equal(expected, After(disk, cpu, transfer, server, _remote));

    [Fact]
    public void A_local_store_is_its_own_server() => Assert.Equal(Bottleneck.Server, After(300, 800, 3900, 0, null));

    [Fact]
    public void The_answer_is_about_the_last_second()
    {
        var times = new StageTimes(_remote, _clock);
        times.SetWorkers(1, 1, 1);
        _clock.Milliseconds += 1000;
        times.Add(StageTimes.Stage.Disk, _clock.Milliseconds - 950);
        Assert.Equal(Bottleneck.Disk, times.Read());
        _clock.Milliseconds += 1000;
        times.Add(StageTimes.Stage.Cpu, _clock.Milliseconds - 950);
        Assert.Equal(Bottleneck.Cpu, times.Read());
    }
}
