using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using ImageForge.Multicast;
using ImageForge.Server.Agents;
using ImageForge.Server.Data;
using ImageForge.Server.Jobs;

namespace ImageForge.Server.Multicasting;

/// <summary>Writes down who comes and goes, and why a machine heard nothing: as an event, in its task's history and beside the session.</summary>
internal sealed class SessionMembers(SessionStore store, HostTaskStore tasks, TaskMulticasts views, Alarms alarms)
{
    public async Task JoinedAsync(LiveSession session, LiveMember member, CancellationToken cancellationToken)
    {
        await store.SaveJoinAsync(session.Row.Id, member.TaskId, member.HostName, member.Address.ToString(), cancellationToken);
        views.Set(member.TaskId, new TaskMulticast(session.Row.Id, "member", null, null));
    }

    public async Task LeftAsync(LiveSession session, LiveMember member, MemberEnd end, CancellationToken cancellationToken)
    {
        // A newer connection of the same machine has taken its place: that one speaks for it.
        if (!session.Members.Contains(member))
            return;
        var figures = session.Observe();
        if (member.Heard || end == MemberEnd.Complete)
            session.NoteHearer(member);
        var cause = end == MemberEnd.HeardNothing ? CauseFor(session, member, figures) : null;
        var outcome = StoredName.Of(end);
        await store.SaveLeaveAsync(session.Row.Id, member.TaskId, outcome, member.Figures, cause, cancellationToken);
        views.Set(member.TaskId, new TaskMulticast(session.Row.Id, outcome, cause?.Sentence, cause?.Cure));
        if (cause is null)
            return;
        await alarms.RaiseAsync("multicastNotHeard", member.HostName, $"{cause.Sentence} {cause.Cure}", cancellationToken);
        await tasks.NoteAsync(member.TaskId, $"Goes on over HTTP. {cause.Sentence} {cause.Cure}", cancellationToken);
    }

    private static LikelyCause CauseFor(LiveSession session, LiveMember member, SenderFigures figures)
    {
        session.NoteSilent(member);
        // As they are now, not as they were when the session began.
        var all = SendInterface.All().ToList();
        var on = session.On is { } chosen ? all.Find(i => i.Name == chosen.Name) ?? chosen with { Up = false } : null;
        var hearers = session.HearersBut(member.TaskId);
        var near = hearers.Count(hearer => NearEachOther(on, hearer, member.Address));
        var others = all.Where(i => i.Name != on?.Name).ToList();
        return SilenceCause.Of(new SilenceFacts(member.HostName, member.Address, session.Group, session.Ttl, on, others, figures.BytesSent,
            figures.NotTaken > 0.5 ? figures.SendError : null, near, hearers.Count - near, session.Silent));
    }

    /// <summary>In one network, as far as the server can tell: both in the same one of ours, or both behind routers with the same first 24 (IPv6: 64) bits.</summary>
    private static bool NearEachOther(SendInterface? on, IPAddress one, IPAddress other)
    {
        foreach (var network in on?.Networks ?? [])
        {
            if (network.SameNetwork(one) && network.SameNetwork(other))
                return true;
        }
        return new OwnAddress(one, one.AddressFamily == AddressFamily.InterNetwork ? 24 : 64).SameNetwork(other);
    }
}

/// <summary>What a task's view says about its session.</summary>
/// <param name="State">member, complete, goesOnOverHttp, heardNothing, stopped, lost, silent, refused.</param>
/// <param name="Cause">Why it heard nothing.</param>
internal sealed record TaskMulticast(long Session, string State, string? Cause, string? Cure);

/// <summary>The sessions of tasks as this process has seen them; what matters for longer is in the task's history.</summary>
internal sealed class TaskMulticasts
{
    private const int MaxKept = 20_000;

    private readonly ConcurrentDictionary<long, TaskMulticast> _byTask = new();

    public TaskMulticast? Of(long taskId) => _byTask.GetValueOrDefault(taskId);

    public void Set(long taskId, TaskMulticast multicast)
    {
        if (_byTask.Count >= MaxKept)
            _byTask.Clear();
        _byTask[taskId] = multicast;
    }
}
