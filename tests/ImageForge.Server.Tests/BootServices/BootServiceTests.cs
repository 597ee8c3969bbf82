using System.Net.Sockets;
using ImageForge.Server.BootServices;
using ImageForge.Server.Tests.Boot;
using Microsoft.Extensions.Logging.Abstractions;

namespace ImageForge.Server.Tests.BootServices;

public sealed class BootServiceTests
{
    private static readonly BootServiceSettings Settings = new("eth0");
    private static readonly CancellationToken None = CancellationToken.None;

    private static BootService Service(Func<BootServiceSettings, BootServiceRun> open) => new("tftp", open, new SteppedClock(), NullLogger.Instance);

    [Fact]
    public async Task Goes_from_off_to_running_and_back()
    {
        var run = new QuietRun();
        await using var service = Service(_ => run);
        Assert.Equal(BootServiceState.Off, service.Status.State);
        await service.StartAsync(Settings, None);
        Assert.Equal((BootServiceState.Running, 7L), (service.Status.State, service.Status.Counters["requests"]));
        await service.StopAsync("by hand", None);
        Assert.Equal((BootServiceState.Off, "by hand", true, false), (service.Status.State, service.Status.Sentence, run.Disposed, service.Wanted));
    }

    [Fact]
    public async Task Starting_twice_opens_once_and_restarting_opens_again()
    {
        var runs = new List<QuietRun>();
        await using var service = Service(_ => { runs.Add(new QuietRun()); return runs[^1]; });
        await service.StartAsync(Settings, None);
        await service.StartAsync(Settings, None);
        Assert.Single(runs);
        await service.RestartAsync(Settings, None);
        Assert.Equal([true, false], runs.Select(r => r.Disposed));
    }

    [Fact]
    public async Task A_taken_port_is_a_state_with_a_cure_and_can_be_tried_again()
    {
        var taken = true;
        await using var service = Service(_ => taken ? throw BootServiceRefusal.From(new SocketException((int)SocketError.AddressAlreadyInUse), 69, "eth0") : new QuietRun());
        await service.StartAsync(Settings, None);
        Assert.Equal((BootServiceState.Failed, true), (service.Status.State, service.Wanted));
        Assert.Contains("UDP port 69 is in use", service.Status.Sentence, StringComparison.Ordinal);
        Assert.Contains("ss -lunp", service.Status.Cure, StringComparison.Ordinal);
        taken = false;
        await service.StartAsync(Settings, None);
        Assert.Equal((BootServiceState.Running, null), (service.Status.State, service.Status.Sentence));
    }

    [Fact]
    public async Task A_missing_right_names_the_capability()
    {
        await using var service = Service(_ => throw BootServiceRefusal.From(new SocketException((int)SocketError.AccessDenied), 67, "eth0"));
        await service.StartAsync(Settings, None);
        Assert.Contains("cap_net_bind_service", service.Status.Cure, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_socket_that_dies_later_makes_it_failed_and_wanted()
    {
        var run = new QuietRun();
        await using var service = Service(_ => run);
        await service.StartAsync(Settings, None);
        run.Die(new SocketException((int)SocketError.NetworkUnreachable));
        var status = await BootServer.EventuallyAsync(() => Task.FromResult(service.Status), s => s.State == BootServiceState.Failed);
        Assert.StartsWith("The service ended by itself", status.Sentence, StringComparison.Ordinal);
        Assert.True(service.Wanted);
        await BootServer.EventuallyAsync(() => Task.FromResult(run.Disposed), d => d);
    }

    /// <summary>Runs until told to die.</summary>
    private sealed class QuietRun : BootServiceRun
    {
        private readonly TaskCompletionSource _end = new();

        public bool Disposed { get; private set; }
        public override Task Completion => _end.Task;
        public override IReadOnlyList<string> Listens => ["eth0 udp/69"];
        public override IReadOnlyDictionary<string, long> Counters => new Dictionary<string, long> { ["requests"] = 7 };

        public void Die(Exception e) => _end.SetException(e);

        public override ValueTask DisposeAsync()
        {
            Disposed = true;
            _end.TrySetResult();
            return ValueTask.CompletedTask;
        }
    }
}
