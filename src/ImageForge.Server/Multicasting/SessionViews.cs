using ImageForge.Contracts;
using ImageForge.Multicast;

namespace ImageForge.Server.Multicasting;

/// <summary>A session as people see it.</summary>
/// <param name="StartsAt">A scheduled-cast begins then with whoever is there; null: it has begun, or no machine is there yet.</param>
/// <param name="EndText">Why it ended, unless nobody was left.</param>
/// <param name="BytesSent">Over all its senders, headers included; <paramref name="RepairBytes"/> of them parity.</param>
/// <param name="Sender">What it does now; null: nobody is there, or it has ended.</param>
internal sealed record MulticastSessionView(
    long Id, string Image, int Version, long? JobId, MulticastStart Start, int? WaitForHosts, DateTimeOffset? StartsAt, SessionState State, uint Epoch,
    DateTimeOffset CreatedAt, DateTimeOffset? StartedAt, DateTimeOffset? EndedAt, SessionEnd? EndReason, string? EndText, long BytesSent, long RepairBytes, SenderView? Sender);

/// <param name="Interface">Null: where the route to the group leads.</param>
/// <param name="State">waiting, sending, idle, ended.</param>
/// <param name="CapBitsPerSecond">Its share of the bandwidth; null: no limit.</param>
/// <param name="BitsPerSecond">On the wire over the last second or so.</param>
/// <param name="RepairShare">Bytes of parity per byte of fragments.</param>
/// <param name="Pass">Which time through what machines lack.</param>
/// <param name="ChunksDone">That no machine present lacks, of <paramref name="Chunks"/>.</param>
/// <param name="ChunksBad">That the store does not have; machines ask for them by themselves.</param>
/// <param name="EtaSeconds">Until the last machine has what it lacks; null: unknown.</param>
/// <param name="RefusedMessages">Of machines, that made no sense.</param>
/// <param name="SendError">What the server's own system says to packets that it does not take; null: it takes them.</param>
internal sealed record SenderView(
    string Group, int Port, string? Interface, int Ttl, SenderState State, double? CapBitsPerSecond, double BitsPerSecond, double RepairShare, int Pass,
    int ChunksDone, int Chunks, int ChunksBad, double? EtaSeconds, int Machines, int OutOfStep, long RefusedMessages, string? SendError);

internal sealed record MulticastSessionDetail(MulticastSessionView Session, IReadOnlyList<MemberView> Machines);

/// <summary>A machine of a session.</summary>
/// <param name="Present">In it now.</param>
/// <param name="Outcome">How it left: complete, goesOnOverHttp, heardNothing, stopped, lost, silent, refused; null: it has not.</param>
/// <param name="Loss">Share of packets that did not reach it lately.</param>
/// <param name="SocketDrops">Of its packets, dropped by its own kernel.</param>
/// <param name="BacklogBytes">Plain bytes that wait for its disk.</param>
/// <param name="EtaSeconds">Until it has what it lacks; null: unknown.</param>
/// <param name="InStep">The pace waits for it.</param>
/// <param name="Limit">What holds it up: none, disk, network, processor.</param>
/// <param name="Behind">The same as a sentence with what helps; null: it keeps up.</param>
/// <param name="Cause">Why it heard nothing.</param>
internal sealed record MemberView(
    long TaskId, string Host, string Address, bool Present, DateTimeOffset JoinedAt, DateTimeOffset? LeftAt, string? Outcome, double BitsPerSecond, double Loss, long SocketDrops,
    long BacklogBytes, int? ChunksLacking, double? EtaSeconds, bool InStep, bool Pacer, MemberLimit Limit, string? Behind, string? Cause, string? Cure);

internal static class SessionViews
{
    public static MulticastSessionView Of(SessionRow row, LiveSession? live)
    {
        var figures = live?.Figures();
        // What this sender has sent since the row was written is not in it yet; a second's worth, but a session that has just begun would show none.
        var (unsaved, repair) = live is null ? (0, 0) : live.Unsaved(figures!);
        return new MulticastSessionView(
            row.Id, row.ImageName, row.VersionNumber, row.JobId, row.StartRule, row.WaitForHosts,
            row.State == SessionState.Waiting ? row.StartsAt : null, row.State, Math.Max(row.Epoch, figures?.Epoch ?? 0), row.CreatedAt, row.StartedAt, row.EndedAt, row.EndReason, row.EndText, row.BytesSent + unsaved, row.RepairBytes + repair,
            live is null ? null : Of(live, figures!));
    }

    public static MemberView Of(MemberRow row, LiveSession? live)
    {
        var member = live?.Members.FirstOrDefault(m => m.TaskId == row.TaskId);
        var seen = member is null ? row.Figures : member.Figures;
        return new MemberView(
            row.TaskId, row.HostName, row.Address, member is not null, row.JoinedAt, row.LeftAt, row.Outcome, member is null ? 0 : seen?.BitsPerSecond ?? 0, seen?.Loss ?? 0, seen?.SocketDrops ?? 0,
            member is null ? 0 : seen?.WaitingBytes ?? 0, seen?.ChunksLacking, member is null ? null : seen?.Left?.TotalSeconds, seen?.InStep ?? true, member is not null && seen is { Pacer: true },
            seen?.Limit ?? MemberLimit.None, member is null || seen is null ? null : Behind.Of(seen), row.Cause, row.Cure);
    }

    private static SenderView Of(LiveSession live, SenderFigures figures) => new(
        live.Group.Group.ToString(), live.Group.Port, live.On?.Name, live.Ttl, figures.State, live.Cap, figures.BitsPerSecond, figures.RepairShare, figures.Pass,
        figures.ChunksDone, figures.Chunks, live.Frames.Bad, figures.Left?.TotalSeconds, live.Members.Count, figures.Members.Count(static m => !m.InStep), figures.Refused, figures.NotTaken > 0 ? figures.SendError : null);
}
