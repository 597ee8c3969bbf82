using System.Collections.Concurrent;
using ImageForge.Server.Events;

namespace ImageForge.Server.Agents;

/// <summary>Events that the network can provoke: the same kind and subject is recorded once a minute.</summary>
internal sealed class Alarms(EventLog events, TimeProvider time)
{
    private static readonly TimeSpan Quiet = TimeSpan.FromMinutes(1);
    private const int MaxKept = 4096;

    private readonly ConcurrentDictionary<(string Kind, string Subject), long> _raised = new();

    public async Task RaiseAsync(string kind, string subject, string text, CancellationToken cancellationToken)
    {
        var now = time.GetTimestamp();
        // Only one of several concurrent calls records.
        if (_raised.TryGetValue((kind, subject), out var last))
        {
            if (time.GetElapsedTime(last, now) < Quiet || !_raised.TryUpdate((kind, subject), now, last))
                return;
        }
        else if (!_raised.TryAdd((kind, subject), now))
        {
            return;
        }
        if (_raised.Count > MaxKept)
            _raised.Clear();
        await events.RecordAsync(kind, subject, text, cancellationToken);
    }
}
