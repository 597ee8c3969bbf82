using ImageForge.Server.Events;

namespace ImageForge.Server.BootServices;

/// <summary>
/// Runs the boot services as the settings say, tries those again that should run and do not, and restarts them when our address on the
/// interface changed or the interface was made anew. Nothing that happens here ends the server.
/// </summary>
internal sealed partial class BootServicesService : BackgroundService
{
    private readonly BootServiceSettingsStore _store;
    private readonly LeaseStore _leases;
    private readonly BootServicesOptions _options;
    private readonly EventLog _events;
    private readonly IHostApplicationLifetime _lifetime;
    private readonly TimeProvider _time;
    private readonly ILogger<BootServicesService> _logger;
    private readonly SemaphoreSlim _gate = new(1, 1);
    private volatile BootServiceSettings _settings = new(Interface: null);
    private BootInterface? _served;

    public BootServicesService(
        BootServiceSettingsStore store, LeaseStore leases, BootServiceRuns runs, BootServicesOptions options, EventLog events,
        IHostApplicationLifetime lifetime, TimeProvider time, ILogger<BootServicesService> logger)
    {
        (_store, _leases, _options, _events, _lifetime, _time, _logger) = (store, leases, options, events, lifetime, time, logger);
        ProxyDhcp = new BootService("proxyDhcp", runs.OpenProxyDhcp, time, logger);
        Dhcp = new BootService("dhcp", runs.OpenDhcp, time, logger);
        Tftp = new BootService("tftp", runs.OpenTftp, time, logger);
    }

    public BootService ProxyDhcp { get; }
    public BootService Dhcp { get; }
    public BootService Tftp { get; }

    public IReadOnlyList<BootService> All => [ProxyDhcp, Dhcp, Tftp];

    public BootServiceSettings Settings => _settings;

    public BootService? Find(string name) => All.FirstOrDefault(s => s.Name == name);

    /// <summary>Keeps the settings and runs by them from now on.</summary>
    public async Task ChangeAsync(BootServiceSettings settings, string by, CancellationToken cancellationToken)
    {
        await _store.SaveAsync(settings, cancellationToken);
        // They are kept now: a caller who hangs up must not leave the services running, or half stopped, by the old ones.
        await ApplyAsync(settings, CancellationToken.None);
        await _events.RecordAsync("bootServices", "settings", $"{by} changed the boot services: {Describe(settings)}", CancellationToken.None);
    }

    /// <summary>Null: done. Otherwise why this service cannot be started by hand.</summary>
    public SettingsFault? MayStart(BootService service) =>
        _settings.Interface is null
            ? new("noInterface", "No network interface is chosen, so no boot service can run.", "Choose one first: PUT /api/v1/boot-services/settings.")
            : service == ProxyDhcp && Dhcp.Wanted ? new("otherDhcpMode", "The full DHCP server runs on this interface; both at once would answer every machine twice.", "Stop it first, or change the DHCP mode in the settings.")
            : service == Dhcp && ProxyDhcp.Wanted ? new("otherDhcpMode", "proxyDHCP runs on this interface; both at once would answer every machine twice.", "Stop it first, or change the DHCP mode in the settings.")
            : null;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            // The scripts carry our HTTP port, which is known once the server listens.
            var started = new TaskCompletionSource();
            await using (_lifetime.ApplicationStarted.Register(started.SetResult))
                await started.Task.WaitAsync(stoppingToken);
            Func<CancellationToken, Task> next = BeginAsync;
            string? lastFault = null;
            while (true)
            {
                try
                {
                    await next(stoppingToken);
                    (next, lastFault) = (TendAsync, null);
                }
                catch (Exception e) when (!stoppingToken.IsCancellationRequested)
                {
                    // A database that is busy, an interface that vanishes while it is read: the next round may succeed.
                    // The same fault again is not news.
                    if (lastFault != e.Message)
                        LogStumbled(_logger, _options.RetrySeconds, e);
                    lastFault = e.Message;
                }
                await Task.Delay(TimeSpan.FromSeconds(_options.RetrySeconds), _time, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
        finally
        {
            foreach (var service in All)
                await service.StopAsync(null, CancellationToken.None);
        }
    }

    private async Task BeginAsync(CancellationToken cancellationToken)
    {
        var found = await _store.LoadAsync(cancellationToken);
        if (found.Saved && _options.Interface is { Length: > 0 } wanted && wanted != found.Settings.Interface)
            LogSavedWins(_logger, wanted, found.Settings.Interface ?? "none");
        await ApplyAsync(found.Settings, cancellationToken);
    }

    private async Task ApplyAsync(BootServiceSettings settings, CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            _settings = settings;
            _served = TryFind(settings);
            var why = settings.Interface is null ? "No network interface is chosen." : "It is off in the settings.";
            foreach (var service in All)
                await service.StopAsync(why, cancellationToken);
            foreach (var service in All.Where(s => IsMeantToRun(s, settings)))
                await service.StartAsync(settings, cancellationToken);
        }
        finally
        {
            _gate.Release();
        }
    }

    private bool IsMeantToRun(BootService service, BootServiceSettings settings) =>
        settings.Interface is not null
        && (service == Tftp ? settings.Tftp : settings.Dhcp == (service == Dhcp ? DhcpMode.Full : DhcpMode.Proxy));

    private async Task TendAsync(CancellationToken cancellationToken)
    {
        _leases.SaveAgain();
        await _gate.WaitAsync(cancellationToken);
        try
        {
            var now = TryFind(_settings);
            // Nothing served before: the interface was away. What still runs is bound to the old one, even when the new one looks the same.
            var moved = now is not null && now != _served;
            if (moved)
                LogMoved(_logger, now!.Name, _served, now);
            _served = now;
            foreach (var service in All.Where(s => s.Wanted))
            {
                if (moved)
                    await service.RestartAsync(_settings, cancellationToken);
                else if (service.Status.State == BootServiceState.Failed)
                    await service.StartAsync(_settings, cancellationToken);
            }
        }
        finally
        {
            _gate.Release();
        }
    }

    private static BootInterface? TryFind(BootServiceSettings settings)
    {
        try
        {
            return settings.Interface is { } name ? BootInterface.Find(name) : null;
        }
        catch (BootServiceRefusal)
        {
            return null;
        }
    }

    private static string Describe(BootServiceSettings settings) => settings.Interface is null
        ? "all off"
        : $"{(settings.Dhcp == DhcpMode.Full ? "full DHCP" : settings.Dhcp == DhcpMode.Proxy ? "proxyDHCP" : "no DHCP")}{(settings.Tftp ? " and TFTP" : "")} on {settings.Interface}";

    public override void Dispose()
    {
        _gate.Dispose();
        base.Dispose();
    }
}
