using System.Collections.Concurrent;
using ImageForge.Contracts;
using ImageForge.Imaging.Manifests;
using ImageForge.Multicast;
using ImageForge.Multicast.Frames;
using ImageForge.Server.Agents;
using ImageForge.Server.BootServices;
using ImageForge.Server.Events;
using ImageForge.Server.Images;
using ImageForge.Server.ImageStore;
using Microsoft.Data.Sqlite;

namespace ImageForge.Server.Multicasting;

/// <summary>
/// The sessions this process sends for. A sender begins with the first machine that asks for it and ends when nobody is left for a while. Whatever
/// happens to it, machines lose nothing: they join again with what they lack, or fetch it over HTTP.
/// </summary>
internal sealed partial class SessionDesk(
    SessionStore store, MulticastSettingsDesk settingsDesk, BootServicesService boot, GroupAddresses groups, ManifestFiles manifests, ChunkStore chunks, ChunkFaults faults,
    VersionChunks versionChunks, Alarms alarms, EventLog events, MulticastOptions options, TimeProvider time, ILogger<SessionDesk> logger) : IAsyncDisposable
{
    private readonly ConcurrentDictionary<long, LiveSession> _live = new();
    private readonly SemaphoreSlim _gate = new(1, 1);

    public IReadOnlyList<LiveSession> Live => [.. _live.Values];

    public LiveSession? Find(long id) => _live.GetValueOrDefault(id);

    /// <summary>The sender of a session, begun if there is none. The failure is for the machine: it goes on over HTTP.</summary>
    /// <returns>Both null: the session has ended meanwhile.</returns>
    public async Task<(LiveSession? Session, Failure? Failure)> OpenAsync(SessionRow row, ImageVersion version, CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            if (_live.TryGetValue(row.Id, out var live))
                return (live, null);
            // Whoever asked may hang up; what is begun is begun.
            return await BeginAsync(row, version, CancellationToken.None);
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>Begins a scheduled-cast with whoever is there, or with the next machine. False: it has ended.</summary>
    public async Task<bool> StartNowAsync(SessionRow row, string by, CancellationToken cancellationToken)
    {
        if (row.State == SessionState.Ended)
            return false;
        var first = await store.MarkStartedAsync(row.Id, cancellationToken);
        if (_live.TryGetValue(row.Id, out var live))
        {
            live.Started = true;
            live.StartNow();
        }
        if (first)
            await events.RecordAsync("multicastStarted", row.Image, $"{by} started multicast session {row.Id} of {row.Image}{(live is null ? "; it sends with the first machine" : $" with {Machines(live.Members.Count)}")}.", cancellationToken);
        return true;
    }

    /// <summary>Ends a session; its machines go on over HTTP.</summary>
    public Task StopAsync(SessionRow row, string by, CancellationToken cancellationToken) =>
        EndAsync(row, SessionEnd.Stopped, $"{by} stopped it; its machines go on over HTTP.", cancellationToken);

    /// <summary>Ends a session for whatever reason, told once.</summary>
    public async Task EndAsync(SessionRow row, SessionEnd reason, string? text, CancellationToken cancellationToken)
    {
        LiveSession? live = null;
        bool ended;
        await _gate.WaitAsync(cancellationToken);
        try
        {
            live = _live.GetValueOrDefault(row.Id);
            if (live is not null && !live.TryClose(evenWithMembers: reason != SessionEnd.Done))
                return;
            // First, so that a machine that comes now finds no session instead of one that is closed.
            ended = await store.EndAsync(row.Id, reason, text, CancellationToken.None);
        }
        catch (SqliteException e) when (live is not null && reason == SessionEnd.Failed)
        {
            // Its sender is dead whatever the database says; the next machine begins another one.
            LogNotEnded(e, row.Id, row.Image);
            ended = false;
        }
        catch (SqliteException) when (live is not null)
        {
            // It goes on as if nobody had wanted its end: whoever did may want it again.
            live.Reopen();
            throw;
        }
        finally
        {
            _gate.Release();
        }
        if (live is not null)
        {
            if (reason != SessionEnd.Done)
            {
                live.Stop();
                await live.EndAsync(options.FarewellTime);
            }
            await RemoveAsync(live);
        }
        if (ended)
            await TellEndAsync(row, reason, text, cancellationToken);
    }

    /// <summary>Divides the bandwidth among the sessions there are.</summary>
    public async Task ShareAsync(CancellationToken cancellationToken)
    {
        var total = (await settingsDesk.GetAsync(cancellationToken)).BitsPerSecond;
        // One division at a time, or two could each give away the same part.
        lock (_live)
        {
            var sessions = Live;
            if (total is not { } bits)
            {
                foreach (var session in sessions)
                    session.Cap = null;
                return;
            }
            var shares = BandwidthShares.Divide(bits, [.. sessions.Select(static s => s.Figures() is var f ? new SessionDemand(s.Cap, f.BitsPerSecond, f.State == SenderState.Sending) : default)]);
            // Those that give first.
            foreach (var (session, share) in sessions.Zip(shares).OrderBy(static s => s.Second - (s.First.Cap ?? double.MaxValue)))
                session.Cap = share;
        }
    }

    /// <summary>The process ends: sessions stay as they are in the database, and machines come back to the next one.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (var live in Live)
        {
            live.TryClose(evenWithMembers: true);
            await live.EndAsync(TimeSpan.Zero);
            await RemoveAsync(live);
        }
        _gate.Dispose();
    }

    private async Task<(LiveSession?, Failure?)> BeginAsync(SessionRow row, ImageVersion version, CancellationToken cancellationToken)
    {
        var settings = await settingsDesk.GetAsync(cancellationToken);
        var on = SendInterface.Chosen(settings, boot.Settings);
        if (on is null && settings.Interface is not null || on is not null && on.AddressOf(settings.Family == MulticastFamily.Ipv4 ? System.Net.Sockets.AddressFamily.InterNetwork : System.Net.Sockets.AddressFamily.InterNetworkV6) is null)
            return (null, SessionFailures.NoInterface(on?.Name ?? settings.Interface!, settings.Family));
        if (await NumbersAsync(version, cancellationToken) is not { } numbers)
            return (null, SessionFailures.NoManifest(row.Image));
        if (groups.Take(settings, row.Id) is not { } group)
            return (null, SessionFailures.NoGroup(settings));
        LiveSession? live = null;
        try
        {
            if (await store.BeginEpochAsync(row.Id, cancellationToken) is not { } begun)
                return (null, null);
            var frames = new StoredFrames(row.Image, version.ManifestHash, numbers, chunks, faults, versionChunks, alarms, logger);
            var made = new LiveSession(begun, settings, group, on, new SessionContent(numbers.PlainLengths), frames, time);
            _live[row.Id] = made;
            // Before it sends.
            await ShareAsync(cancellationToken);
            live = made;
        }
        finally
        {
            if (live is null)
            {
                if (_live.TryRemove(row.Id, out var unused))
                    await unused.DisposeAsync();
                groups.Return(group);
            }
        }
        _ = WatchAsync(live, live.RunAsync());
        LogBegan(row.Id, row.Image, live.Row.Epoch, group.Group, group.Port, on?.Name);
        return (live, null);
    }

    private async Task WatchAsync(LiveSession live, Task running)
    {
        try
        {
            await running;
        }
        catch (OperationCanceledException)
        {
        }
#pragma warning disable CA1031 // The edge of the sender's thread: whatever ended it, its machines must hear that they go on over HTTP.
        catch (Exception e)
#pragma warning restore CA1031
        {
            LogFailed(e, live.Row.Id, live.Row.Image);
            await EndAsync(live.Row, SessionEnd.Failed, SessionFailures.CannotSend(live, e), CancellationToken.None);
        }
    }

    private async Task RemoveAsync(LiveSession live)
    {
        try
        {
            await SaveAsync(live, live.Figures());
        }
        catch (SqliteException e)
        {
            LogNotSaved(e, live.Row.Id, live.Row.Image);
        }
        await live.EndAsync(TimeSpan.Zero);
        _live.TryRemove(live.Row.Id, out _);
        groups.Return(live.Group);
        await live.DisposeAsync();
        await ShareAsync(CancellationToken.None);
    }

    private async Task SaveAsync(LiveSession live, SenderFigures figures)
    {
        var (bytes, repair) = live.TakeCounters(figures);
        if (bytes == 0 && figures.Epoch <= live.Row.Epoch)
            return;
        try
        {
            await store.SaveCountersAsync(live.Row.Id, figures.Epoch, bytes, repair, CancellationToken.None);
        }
        catch (SqliteException)
        {
            live.GiveBack(bytes);
            throw;
        }
    }

    private async Task<ChunkNumbers?> NumbersAsync(ImageVersion version, CancellationToken cancellationToken)
    {
        var file = await manifests.ReadAsync(version.ManifestHash, cancellationToken);
        // The name is the hash: members number by the right one, a rotten one would send them the wrong chunks.
        return file is not null && ManifestHash.Of(file) == version.ManifestHash && ImageDisks.TryParse(file, out var image, out _) ? new ChunkNumbers(image) : null;
    }

    private static string Machines(int count) => count == 1 ? "1 machine" : $"{count} machines";
}
