using System.Text.Json.Serialization;
using ImageForge.Contracts;

namespace ImageForge.Server.BootServices;

[JsonConverter(typeof(CamelCaseEnumConverter<BootServiceState>))]
internal enum BootServiceState { Off, Starting, Running, Failed }

/// <param name="Sentence">What happened, when it failed or why it is off; null while it runs.</param>
/// <param name="Cure">What to do about it.</param>
/// <param name="Counters">Totals of the present run.</param>
internal sealed record BootServiceStatus(
    string Name, BootServiceState State, string? Sentence, string? Cure, DateTimeOffset Since,
    IReadOnlyList<string> Listens, IReadOnlyDictionary<string, long> Counters);

/// <summary>
/// One boot service that can be started, stopped and started again while the server runs. A start that fails is a state with a
/// sentence, never an exception: the rest of the server does not depend on it.
/// </summary>
/// <param name="open">Opens the sockets; throws when it cannot.</param>
internal sealed partial class BootService(string name, Func<BootServiceSettings, BootServiceRun> open, TimeProvider time, ILogger logger) : IAsyncDisposable
{
    private readonly SemaphoreSlim _gate = new(1, 1);
    private BootServiceRun? _run;
    private volatile BootServiceStatus _status = new(name, BootServiceState.Off, null, null, time.GetUtcNow(), [], Nothing);

    private static readonly IReadOnlyDictionary<string, long> Nothing = new Dictionary<string, long>();

    public string Name { get; } = name;

    /// <summary>It should run: started, and not stopped since. A failed service that is wanted is tried again.</summary>
    public bool Wanted { get; private set; }

    public BootServiceStatus Status
    {
        get
        {
            var (status, run) = (_status, _run);
            return status.State == BootServiceState.Running && run is not null ? status with { Counters = run.Counters } : status;
        }
    }

    public async Task StartAsync(BootServiceSettings settings, CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            Wanted = true;
            if (_run is null)
                Start(settings);
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <param name="why">For the status, or null.</param>
    public async Task StopAsync(string? why, CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            Wanted = false;
            await EndRunAsync();
            Set(BootServiceState.Off, why, null);
        }
        finally
        {
            _gate.Release();
        }
    }

    public async Task RestartAsync(BootServiceSettings settings, CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            Wanted = true;
            await EndRunAsync();
            Start(settings);
        }
        finally
        {
            _gate.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await EndRunAsync();
        _gate.Dispose();
    }

    private void Start(BootServiceSettings settings)
    {
        var before = _status;
        if (before.State != BootServiceState.Failed)
            Set(BootServiceState.Starting, null, null);
        try
        {
            var run = open(settings);
            _run = run;
            Set(BootServiceState.Running, null, null, run.Listens);
            LogRunning(logger, Name, run.Listens);
            _ = WatchAsync(run);
        }
        catch (Exception e)
        {
            var refusal = e as BootServiceRefusal ?? BootServiceRefusal.From(e, 0, settings.Interface ?? "");
            // A repeated attempt that fails the same way is not news.
            if (before.State == BootServiceState.Failed && before.Sentence == refusal.Message)
                return;
            Set(BootServiceState.Failed, refusal.Message, refusal.Cure);
            LogFailed(logger, Name, refusal.Message, refusal.Cure);
        }
    }

    private async Task WatchAsync(BootServiceRun run)
    {
        try
        {
            await run.Completion;
        }
        catch (Exception e)
        {
            await _gate.WaitAsync();
            try
            {
                if (_run != run)
                    return;
                _run = null;
                var refusal = BootServiceRefusal.From(e, 0, "");
                Set(BootServiceState.Failed, $"The service ended by itself: {refusal.Message}", refusal.Cure);
                LogEnded(logger, Name, e);
            }
            finally
            {
                _gate.Release();
            }
            await run.DisposeAsync();
        }
    }

    private async Task EndRunAsync()
    {
        if (_run is not { } run)
            return;
        _run = null;
        await run.DisposeAsync();
        LogStopped(logger, Name);
    }

    private void Set(BootServiceState state, string? sentence, string? cure, IReadOnlyList<string>? listens = null) =>
        _status = new BootServiceStatus(Name, state, sentence, cure, time.GetUtcNow(), listens ?? [], Nothing);
}
