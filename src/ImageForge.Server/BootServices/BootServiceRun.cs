namespace ImageForge.Server.BootServices;

/// <summary>One run of a boot service, from opening its sockets to closing them.</summary>
internal abstract class BootServiceRun : IAsyncDisposable
{
    /// <summary>Ends with the run; with an exception when a socket died.</summary>
    public abstract Task Completion { get; }

    /// <summary>What it listens on, for example <c>eth0 udp/67</c>.</summary>
    public abstract IReadOnlyList<string> Listens { get; }

    /// <summary>Totals since the run began; lowerCamel names.</summary>
    public abstract IReadOnlyDictionary<string, long> Counters { get; }

    public abstract ValueTask DisposeAsync();

    protected static string Camel(string name) => char.ToLowerInvariant(name[0]) + name[1..];
}
