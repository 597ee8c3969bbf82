using System.Globalization;
using ImageForge.Multicast;

namespace ImageForge.Server.Multicasting;

/// <summary>What is looked after once a second: who is out of step, who has to go, which session nobody needs.</summary>
internal sealed partial class SessionDesk
{
    /// <summary>Looks in a row after which people hear that a machine is out of step: one look may hit a moment's pause.</summary>
    private const int OutOfStepLooks = 3;

    public async Task TendAsync(LiveSession live, IReadOnlySet<long> ending, int waitedFor, CancellationToken cancellationToken)
    {
        var figures = live.Observe();
        await SaveAsync(live, figures);
        var members = live.Members;
        if (!live.Started && (figures.State == SenderState.Sending || figures.BytesSent > 0))
        {
            live.Started = true;
            if (await store.MarkStartedAsync(live.Row.Id, cancellationToken))
                await events.RecordAsync("multicastStarted", live.Row.Image,
                    $"Multicast session {live.Row.Id} sends {live.Row.Image} to {live.Group.Group} port {live.Group.Port}, with {Machines(members.Count)} so far.", cancellationToken);
        }
        // Nobody waits for machines whose task has ended before they came, nor beyond the time by the calendar, should that jump ahead of the sender's clock.
        if (figures.State == SenderState.Waiting && members.Count > 0 && (members.Count >= waitedFor || time.GetUtcNow() >= live.StartsAt))
            live.StartNow();
        foreach (var member in members)
        {
            if (ending.Contains(member.TaskId))
                member.Leave();
            else if (member is { OutOfStep: >= OutOfStepLooks, Figures: { } seen })
                await alarms.RaiseAsync("multicastOutOfStep", member.HostName, $"{member.HostName} is out of step in multicast session {live.Row.Id}: {Behind.Sentence(seen)}", cancellationToken);
        }
        if (live.EmptyFor > options.Linger)
            await EndAsync(live.Row, SessionEnd.Done, null, cancellationToken);
    }

    /// <summary>Ends sessions in the database that nobody can join any more.</summary>
    public async Task EndForsakenAsync(CancellationToken cancellationToken)
    {
        foreach (var id in await store.EndForsakenAsync([.. Live.Select(static s => s.Row.Id)], cancellationToken))
        {
            if (await store.FindAsync(id, cancellationToken) is { } row)
                await TellEndAsync(row, SessionEnd.Done, null, cancellationToken);
        }
    }

    private async Task TellEndAsync(SessionRow row, SessionEnd reason, string? text, CancellationToken cancellationToken)
    {
        var now = await store.FindAsync(row.Id, cancellationToken) ?? row;
        var members = await store.ListMembersAsync(row.Id, cancellationToken);
        var complete = members.Count(static m => m.Outcome == "complete");
        await events.RecordAsync("multicastEnded", row.Image, string.Create(CultureInfo.InvariantCulture,
            $"Multicast session {row.Id} of {row.Image} ended: {text ?? (members.Count == 0 ? "no machine came." : "nobody was left.")} {complete} of its {Machines(members.Count)} needed nothing over HTTP; {now.BytesSent / 1e6:0.0} MB were sent, {(now.BytesSent == 0 ? 0 : 100.0 * now.RepairBytes / now.BytesSent):0.0} % of it repair."),
            cancellationToken);
        LogEnded(row.Id, row.Image, reason);
    }
}
