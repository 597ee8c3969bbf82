using System.Collections.Concurrent;
using ImageForge.Server.Images;
using ImageForge.Server.Jobs;

namespace ImageForge.Server.Agents;

/// <summary>Who is calling: the host task behind a task token, with what never changes about it.</summary>
/// <param name="Version">The version a deploy uses; null for other kinds.</param>
internal sealed record AgentSession(HostTask Task, Job Job, ImageVersion? Version);

/// <summary>
/// Finds the session of a task token. Chunk requests come by the thousand each second, so for them an answer may be up to a second old;
/// everything that changes a task asks the database.
/// </summary>
internal sealed class AgentSessions(HostTaskStore tasks, JobStore jobs, ImageVersions versions, TimeProvider time)
{
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(1);
    private const int MaxKept = 10_000;

    private readonly ConcurrentDictionary<string, (AgentSession Session, long At)> _kept = new(StringComparer.Ordinal);

    /// <summary>Null: no task has this token (any more).</summary>
    public async ValueTask<AgentSession?> FindAsync(string token, bool mayBeOld, CancellationToken cancellationToken)
    {
        var hash = TaskTokens.Hash(token);
        var key = Convert.ToHexString(hash);
        var known = _kept.TryGetValue(key, out var kept);
        if (known && mayBeOld && time.GetElapsedTime(kept.At) < Fresh)
            return kept.Session;
        var at = time.GetTimestamp();
        if (await tasks.FindByTokenHashAsync(hash, cancellationToken) is not { } task)
        {
            _kept.TryRemove(key, out _);
            return null;
        }
        var session = known && kept.Session.Task.Id == task.Id ? kept.Session with { Task = task } : await LoadAsync(task, cancellationToken);
        if (session is null)
            return null;
        if (_kept.Count >= MaxKept)
            _kept.Clear();
        _kept[key] = (session, at);
        return session;
    }

    /// <summary>The task's token or state has changed.</summary>
    public void Forget(long taskId)
    {
        foreach (var (key, value) in _kept)
        {
            if (value.Session.Task.Id == taskId)
                _kept.TryRemove(key, out _);
        }
    }

    private async Task<AgentSession?> LoadAsync(HostTask task, CancellationToken cancellationToken)
    {
        if (await jobs.FindAsync(task.JobId, cancellationToken) is not { } job)
            return null;
        var version = job.ImageVersionId is { } id ? await versions.FindAsync(id, cancellationToken) : null;
        return new AgentSession(task, job, version);
    }
}
