using System.Text;

namespace ImageForge.EndToEnd.BootFaults;

/// <summary>A task waits and the live image does not arrive: fetched once, retried three times, then the disk.</summary>
public sealed class LiveImageDownloadTests
{
    private static readonly byte[] Kernel = File.ReadAllBytes(Path.Combine(Lab.Repository.LiveImage, "vmlinuz"));

    [Theory]
    [InlineData(ScriptSite.BiosMac)]
    [InlineData(ScriptSite.UefiMac)]
    public async Task A_kernel_that_cannot_be_had_is_retried_three_times_and_then_the_disk_boots(string mac)
    {
        await using var site = await ScriptSite.StartAsync();
        await using var server = new FaultyHttpServer(site.Network, path => path.StartsWith("/boot/files/", StringComparison.Ordinal)
            ? (HttpFault.InternalError, [])
            : (HttpFault.None, Encoding.ASCII.GetBytes(ScriptSite.Script("agent.ipxe"))));
        var (seconds, console) = await site.BootAsync("kernel", mac);
        Assert.Equal((4, 0), (server.Count("/boot/files/vmlinuz"), server.Count("/boot/files/initrd.img")));
        Assert.Contains("could not be fetched after 3 retries", console, StringComparison.Ordinal);
        Measured.Write($"no kernel, {mac}: first script to local disk", $"{seconds:0.0} s");
    }

    [Theory]
    [InlineData(ScriptSite.BiosMac)]
    [InlineData(ScriptSite.UefiMac)]
    public async Task An_initrd_that_stalls_is_retried_three_times_and_then_the_disk_boots(string mac)
    {
        await using var site = await ScriptSite.StartAsync();
        await using var server = new FaultyHttpServer(site.Network, path =>
            path.StartsWith("/boot/files/initrd.img", StringComparison.Ordinal) ? (HttpFault.StallsHalfWay, new byte[100_000])
            : path.StartsWith("/boot/files/vmlinuz", StringComparison.Ordinal) ? (HttpFault.None, Kernel)
            : (HttpFault.None, Encoding.ASCII.GetBytes(ScriptSite.Script("agent.ipxe"))));
        var (seconds, console) = await site.BootAsync("initrd", mac);
        Assert.Equal((4, 4), (server.Count("/boot/files/vmlinuz"), server.Count("/boot/files/initrd.img")));
        Assert.Contains("could not be fetched after 3 retries", console, StringComparison.Ordinal);
        Measured.Write($"initrd stalls, {mac}: first script to local disk", $"{seconds:0.0} s");
    }
}
