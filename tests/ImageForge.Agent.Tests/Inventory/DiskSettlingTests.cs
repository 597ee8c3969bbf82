using ImageForge.Agent.Inventory;
using ImageForge.Contracts;
using ImageForge.Imaging.Disks;

namespace ImageForge.Agent.Tests.Inventory;

public sealed class DiskSettlingTests
{
    private readonly JumpingTime _time = new();

    [Theory]
    [InlineData(0, 2)]
    [InlineData(1.5, 3.5)]
    [InlineData(12, 14)]
    [InlineData(14.5, 16.5)]
    [InlineData(16, 15)]
    public async Task A_disk_is_waited_for_fifteen_seconds_and_then_two_more_of_quiet(double comes, double ends)
    {
        await Settle(new LateDisks(_time, (comes, Disk("sda"))));
        Assert.InRange(_time.Now.TotalSeconds, ends, ends + 0.5);
    }

    [Fact]
    public async Task Every_disk_that_comes_starts_the_two_seconds_anew()
    {
        var disks = new LateDisks(_time, (0, Disk("sda")), (1.9, Disk("sdb")), (3.7, Disk("sdc")));
        await Settle(disks);

        Assert.Equal(3, disks.List().Count);
        Assert.InRange(_time.Now.TotalSeconds, 5.7, 6.2);
    }

    [Fact]
    public async Task A_stick_or_the_boot_medium_alone_does_not_end_the_wait_for_a_disk()
    {
        var disks = new LateDisks(_time, (0, Disk("sda") with { Removable = true }), (0, Disk("sdb") with { BootMedium = true }), (9, Disk("sdc")));
        await Settle(disks);

        Assert.Equal(3, disks.List().Count);
    }

    [Fact]
    public async Task A_list_that_never_rests_ends_the_wait_after_a_minute()
    {
        await Settle(new LateDisks(_time, [.. Enumerable.Range(0, 100).Select(i => ((double)i, Disk("sd" + i)))]));
        Assert.InRange(_time.Now.TotalSeconds, 60, 60.5);
    }

    private Task Settle(IDisks disks) => DiskSettling.Default.WaitAsync(disks, _time, CancellationToken.None);

    private static DiskInventory Disk(string name) => new(name, null, null, null, 1 << 30, 512, 512, false, false, false, "scsi", false);

    private sealed class LateDisks(JumpingTime time, params (double Comes, DiskInventory Disk)[] disks) : IDisks
    {
        public IReadOnlyList<DiskInventory> List() => [.. disks.Where(d => d.Comes <= time.Now.TotalSeconds).Select(d => d.Disk)];

        public IBlockDevice OpenForReading(DiskInventory disk) => throw new NotSupportedException();

        public IBlockDevice OpenForWriting(DiskInventory disk) => throw new NotSupportedException();
    }

    /// <summary>Waiting takes no time: every timer is due at once, and the clock has moved on by what it was set to.</summary>
    private sealed class JumpingTime : TimeProvider
    {
        public TimeSpan Now { get; private set; }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Now.Ticks;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            Now += dueTime;
            callback(state);
            return System.CreateTimer(_ => { }, null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }
    }
}
