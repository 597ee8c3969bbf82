using System.Globalization;
using ImageForge.Contracts;
using ImageForge.Server.Hosts;
using ImageForge.Server.Jobs;

namespace ImageForge.Server.Boot;

/// <summary>Decides what a MAC should boot. Reads only; the same question may be asked any number of times.</summary>
internal sealed class BootDecider(HostStore hosts, HostTaskStore tasks, BootOptions options, TimeProvider time)
{
    public async ValueTask<BootDecision> DecideAsync(MacAddress mac, CancellationToken cancellationToken)
    {
        var host = await hosts.FindByMacAsync(mac, cancellationToken);
        if (host is null)
            return new BootDecision(BootWay.Local, "this machine is new here; approve it on the Hosts page to give it work");
        if (host.State != HostState.Approved)
            return new BootDecision(BootWay.Local, "this machine waits for approval on the Hosts page", host);
        var task = await tasks.FindActiveForHostAsync(host.Id, cancellationToken);
        return Judge(host, task);
    }

    internal BootDecision Judge(Host host, HostTask? task)
    {
        if (task is null || !task.State.IsActive())
            return new BootDecision(BootWay.Local, "no task is waiting for this machine", host);
        if (task.CancelRequested)
            return new BootDecision(BootWay.Local, string.Create(CultureInfo.InvariantCulture, $"task {task.Id} is being cancelled"), host);
        // A live agent and a new boot under one MAC: either the power was cut a moment ago, or two machines share the address.
        // Heard in the future: the clock was set back, which says nothing of the agent; waiting until then could take years.
        if (task.State >= HostTaskState.CheckedIn && task.LastHeardAt is { } heard
            && time.GetUtcNow() - heard is var silent && silent >= TimeSpan.Zero && silent < TimeSpan.FromSeconds(options.AgentHeardSeconds))
            return new BootDecision(BootWay.Wait, string.Create(CultureInfo.InvariantCulture, $"the agent of task {task.Id} was heard a moment ago"), host, task);
        return new BootDecision(BootWay.Agent, string.Create(CultureInfo.InvariantCulture, $"task {task.Id} ({Name(task.Kind)}) is waiting"), host, task);
    }

    public static string Name(JobKind kind) => kind switch
    {
        JobKind.Capture => "capture",
        JobKind.Deploy => "deploy",
        JobKind.Inventory => "inventory",
        _ => kind.ToString(),
    };
}
