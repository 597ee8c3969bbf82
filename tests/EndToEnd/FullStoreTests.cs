using System.Globalization;
using ImageForge.Contracts;
using ImageForge.Lab;
using ImageForge.Lab.Disks;
using ImageForge.Lab.Servers;

namespace ImageForge.EndToEnd;

public sealed class FullStoreTests
{
    [Fact]
    public async Task A_capture_into_a_full_store_fails_with_a_sentence_and_succeeds_once_there_is_space()
    {
        var captured = await CapturedImage.GetAsync();
        var small = "";
        await using var site = await LabSite.StartAsync("full-store", dataFolder: async network =>
        {
            small = Directory.CreateDirectory(Path.Combine(network.Folder, "small")).FullName;
            await Command.RunAsync("mount", "-t", "tmpfs", "-o", "size=24M,mode=700", "if-small", small);
            return small;
        }, settings: ["Store:ReserveBytes=6291456"]);
        var disk = await SourceDisk.CopyAsync(Path.Combine(site.Network.Folder, "source.img"));
        await site.AddHostAsync("source", Machines.SourceMac);

        var first = await site.OrderAsync(JobKind.Capture, Machines.SourceMac, Machines.Image());
        await using (var machine = await site.PowerOnAsync(Machines.Source(disk)))
        {
            var end = await first.WaitForEndAsync(Machines.TaskLimit);
            Assert.Equal("failed", (string?)end["state"]);
            var failure = end["failure"]!;
            Assert.Equal("server", (string?)failure["fault"]);
            Assert.Contains("full", (string?)failure["sentence"], StringComparison.Ordinal);
            Assert.NotEqual("", (string?)failure["cure"]);
            // The machine says the same and does not loop.
            await machine.Console.WaitForAsync("imageforge: task failed .*full", Machines.BootLimit);
            await machine.Console.WaitForAsync("the agent has stopped", Machines.BootLimit);
        }
        Assert.Empty((await site.Api.GetAsync("api/v1/images"))!["items"]!.AsArray());
        var kept = Directory.GetFiles(Path.Combine(small, "store", "chunks"), "*", SearchOption.AllDirectories).Length;
        Assert.True(kept > 5, string.Create(CultureInfo.InvariantCulture, $"only {kept} chunks were kept"));

        await Command.RunAsync("mount", "-o", "remount,size=200M", small);
        var second = await site.OrderAsync(JobKind.Capture, Machines.SourceMac, Machines.Image());
        await using (var machine = await site.PowerOnAsync(Machines.Source(disk)))
        {
            await second.WaitForSuccessAsync(Machines.TaskLimit);
            await machine.WaitForEndAsync(TimeSpan.FromSeconds(60));
        }
        await ServerCrashTests.AssertSameImageAsync(site, captured);
    }
}
