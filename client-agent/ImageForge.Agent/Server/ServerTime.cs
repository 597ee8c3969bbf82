using System.Globalization;

namespace ImageForge.Agent.Server;

/// <summary>Adds up what the server says it took for each request itself (<c>Server-Timing: work;dur=milliseconds</c>, W3C Server Timing): the rest was the network.</summary>
internal sealed class ServerTime
{
    private const string Prefix = "work;dur=";
    private long _ticks;

    public TimeSpan Spent => TimeSpan.FromTicks(Interlocked.Read(ref _ticks));

    public void Add(HttpResponseMessage response)
    {
        if (response.Headers.TryGetValues("Server-Timing", out var values) && values.FirstOrDefault(v => v.StartsWith(Prefix, StringComparison.Ordinal)) is { } value
            && double.TryParse(value.AsSpan(Prefix.Length), NumberStyles.Float, CultureInfo.InvariantCulture, out var milliseconds) && milliseconds is >= 0 and < 600_000)
            Interlocked.Add(ref _ticks, (long)(milliseconds * TimeSpan.TicksPerMillisecond));
    }
}
