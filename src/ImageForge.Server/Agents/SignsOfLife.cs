using System.Collections.Concurrent;
using ImageForge.Server.Jobs;

namespace ImageForge.Server.Agents;

/// <summary>Notes that a task's agent was heard, at most every two seconds per task: chunk requests come by the thousand.</summary>
internal sealed class SignsOfLife(HostTaskStore tasks, TimeProvider time)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);
    private const int MaxKept = 10_000;

    private readonly ConcurrentDictionary<long, long> _written = new();

    public async ValueTask HeardAsync(HostTask task, CancellationToken cancellationToken)
    {
        var now = time.GetTimestamp();
        if (_written.TryGetValue(task.Id, out var last))
        {
            // Only one of several concurrent calls writes.
            if (time.GetElapsedTime(last, now) < Interval || !_written.TryUpdate(task.Id, now, last))
                return;
        }
        else if (!_written.TryAdd(task.Id, now))
        {
            return;
        }
        if (_written.Count > MaxKept)
            _written.Clear();
        await tasks.HeardAsync(task.Id, cancellationToken);
    }
}
