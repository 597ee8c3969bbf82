using ImageForge.Contracts;
using ImageForge.Server.Boot;

namespace ImageForge.Server.Tests.Boot;

public sealed class BootTimelineTests
{
    private static readonly MacAddress Mac = MacAddress.Parse("52:54:00:aa:bb:01");

    [Fact]
    public async Task Keeps_the_newest_steps_of_a_machine_that_boots_for_ever()
    {
        await using var server = await TestServer.StartAsync();
        var timeline = server.Get<BootTimeline>();
        for (var i = 0; i < 2000; i++)
            timeline.Record(Mac, "script", $"step {i}");
        timeline.Record(MacAddress.Parse("52:54:00:aa:bb:02"), "script", "another machine");
        var events = await BootServer.EventuallyAsync(
            () => timeline.ListAsync(Mac, null, 5000, CancellationToken.None), e => e.Count > 0 && e[^1].Detail == "step 1999");
        Assert.InRange(events.Count, BootTimeline.KeptPerMac, BootTimeline.KeptPerMac + 50);
        Assert.Equal(events.Select(e => e.Id).Order(), events.Select(e => e.Id));
        Assert.Single(await timeline.ListAsync(MacAddress.Parse("52:54:00:aa:bb:02"), null, 10, CancellationToken.None));
    }

    [Fact]
    public async Task Text_of_devices_is_cut_and_cleaned()
    {
        await using var server = await TestServer.StartAsync();
        var timeline = server.Get<BootTimeline>();
        timeline.Record(Mac, "tftp", "a\u202eb\n" + new string('x', 500));
        var events = await BootServer.EventuallyAsync(() => timeline.ListAsync(Mac, null, 10, CancellationToken.None), e => e.Count == 1);
        Assert.StartsWith("abx", events[0].Detail, StringComparison.Ordinal);
        Assert.InRange(events[0].Detail.Length, 1, 128);
    }
}
