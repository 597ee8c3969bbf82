using ImageForge.NetBoot.Dhcp;

namespace ImageForge.Server.BootServices;

/// <summary>A DHCP responder on one or two ports of an interface: 67 and 4011 for proxyDHCP, 67 alone for the full server.</summary>
internal sealed class DhcpRun : BootServiceRun
{
    private readonly List<(int Port, DhcpListener Listener)> _listeners = [];
    private readonly string _interface;
    private readonly Func<IEnumerable<KeyValuePair<string, long>>>? _more;

    private DhcpRun(string interfaceName, Func<IEnumerable<KeyValuePair<string, long>>>? more)
    {
        _interface = interfaceName;
        _more = more;
    }

    /// <exception cref="BootServiceRefusal">A port could not be opened; none stays open then.</exception>
    public static DhcpRun Open(
        BootInterface on, IReadOnlyList<int> ports, IDhcpResponder responder, Action<DhcpExchange> onExchange, Func<IEnumerable<KeyValuePair<string, long>>>? more = null)
    {
        var run = new DhcpRun(on.Name, more);
        foreach (var port in ports)
        {
            try
            {
                var listener = new DhcpListener(new DhcpListenerOptions(on.Name, on.Address, port), responder, onExchange);
                listener.Start();
                run._listeners.Add((port, listener));
            }
            catch (Exception e)
            {
                run.DisposeAsync().AsTask().GetAwaiter().GetResult();
                throw BootServiceRefusal.From(e, port, on.Name);
            }
        }
        return run;
    }

    // The first to end ends the run: half a service is worse than one that says it failed.
    public override Task Completion => Task.WhenAny(_listeners.Select(l => l.Listener.Completion)).Unwrap();

    public override IReadOnlyList<string> Listens => [.. _listeners.Select(l => $"{_interface} udp/{l.Port}")];

    public override IReadOnlyDictionary<string, long> Counters
    {
        get
        {
            var totals = new SortedDictionary<string, long>(StringComparer.Ordinal)
            {
                ["received"] = _listeners.Sum(l => l.Listener.Counters.Received),
            };
            foreach (var kind in Enum.GetValues<DhcpExchangeKind>())
                totals[Camel(kind.ToString())] = _listeners.Sum(l => l.Listener.Counters.Count(kind));
            foreach (var (reason, count) in _listeners.SelectMany(l => l.Listener.Counters.Ignored))
                totals[$"ignored.{Camel(reason.ToString())}"] = totals.GetValueOrDefault($"ignored.{Camel(reason.ToString())}") + count;
            foreach (var (name, count) in _more?.Invoke() ?? [])
                totals[name] = count;
            return totals;
        }
    }

    public override async ValueTask DisposeAsync()
    {
        foreach (var (_, listener) in _listeners)
            await listener.DisposeAsync();
    }
}
