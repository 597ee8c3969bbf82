using System.Text;

namespace ImageForge.EndToEnd.BootFaults;

public sealed class WaitScriptTests
{
    [Fact]
    public async Task A_machine_that_is_told_to_wait_asks_again_and_gives_up_after_twelve_times()
    {
        await using var site = await ScriptSite.StartAsync();
        var wait = ScriptSite.Script("wait.ipxe").Replace("set wait-seconds 3", "set wait-seconds 1", StringComparison.Ordinal);
        await using var server = new FaultyHttpServer(site.Network, _ => (HttpFault.None, Encoding.ASCII.GetBytes(wait)));
        var (_, console) = await site.BootAsync("wait", ScriptSite.BiosMac);
        Assert.Equal(13, server.Count("/boot/"));
        Assert.Contains("(12 of 12)", console, StringComparison.Ordinal);
        Assert.Contains("another agent still works on task 1", console, StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_does_what_the_server_says_once_the_wait_is_over()
    {
        await using var site = await ScriptSite.StartAsync();
        var asked = 0;
        await using var server = new FaultyHttpServer(site.Network, _ =>
            (HttpFault.None, Encoding.ASCII.GetBytes(ScriptSite.Script(Interlocked.Increment(ref asked) < 3 ? "wait.ipxe" : "local.ipxe"))));
        await site.BootAsync("waited", ScriptSite.UefiMac);
        Assert.Equal(3, server.Count("/boot/"));
    }
}
