using System.ComponentModel;
using System.Runtime.InteropServices;

namespace ImageForge.NetBoot.Tests.Lab;

/// <summary>
/// Two network namespaces joined by a cable: ours, where servers of this process listen on <c>eth0</c> (10.77.0.1/24),
/// and the client's, whose <c>eth0</c> has no address. Nothing of the machine is touched; both vanish with Dispose.
/// </summary>
internal sealed partial class NetworkNamespace : IAsyncDisposable
{
    private static int _counter;

    public string Ours { get; } = $"if-nb-{Environment.ProcessId}-{Interlocked.Increment(ref _counter)}s";
    public string Clients { get; } = $"if-nb-{Environment.ProcessId}-{_counter}c";

    public static async Task<NetworkNamespace> CreateAsync(bool clientHasAddress = false)
    {
        var pair = new NetworkNamespace();
        await Ip("netns", "add", pair.Ours);
        await Ip("netns", "add", pair.Clients);
        await Ip("-n", pair.Ours, "link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns", pair.Clients);
        await Ip("-n", pair.Ours, "addr", "add", "10.77.0.1/24", "dev", "eth0");
        if (clientHasAddress)
            await Ip("-n", pair.Clients, "addr", "add", "10.77.0.50/24", "dev", "eth0");
        foreach (var name in new[] { pair.Ours, pair.Clients })
        {
            await Ip("-n", name, "link", "set", "lo", "up");
            await Ip("-n", name, "link", "set", "eth0", "up");
        }
        return pair;
    }

    /// <summary>Runs a program on the client's side.</summary>
    public Task<Command.Result> ClientAsync(int seconds, string program, params string[] arguments) =>
        Command.RunAsync(seconds, "ip", ["netns", "exec", Clients, program, .. arguments]);

    /// <summary>Drops packets at random on both sides; the build machine's kernel has no netem.</summary>
    public async Task LoseAsync(int perMille)
    {
        foreach (var name in new[] { Ours, Clients })
        {
            var rule = $"table netdev loss {{ chain arriving {{ type filter hook ingress device eth0 priority 0; ip protocol udp numgen random mod 1000 < {perMille} drop; }}; }}";
            await Command.MustAsync("ip", "netns", "exec", name, "nft", rule);
        }
    }

    /// <summary>Runs <paramref name="action"/> on a thread inside our namespace: sockets made there, and threads started there, belong to it.</summary>
    public void Inside(Action action) => Inside(Ours, action);

    /// <summary>As above, on the client's side.</summary>
    public void InsideClients(Action action) => Inside(Clients, action);

    private static void Inside(string name, Action action)
    {
        Exception? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                using var handle = File.OpenHandle($"/run/netns/{name}");
                if (SetNamespace((int)handle.DangerousGetHandle(), 0x40000000) != 0)
                    throw new Win32Exception(Marshal.GetLastSystemError());
                action();
            }
            catch (Exception e)
            {
                failure = e;
            }
        });
        thread.Start();
        thread.Join();
        if (failure is not null)
            throw new InvalidOperationException(failure.Message, failure);
    }

    [LibraryImport("libc", EntryPoint = "setns")]
    private static partial int SetNamespace(int fd, int type);

    private static Task<string> Ip(params string[] arguments) => Command.MustAsync("ip", arguments);

    public async ValueTask DisposeAsync()
    {
        await Command.RunAsync(10, "ip", "netns", "del", Ours);
        await Command.RunAsync(10, "ip", "netns", "del", Clients);
    }
}
