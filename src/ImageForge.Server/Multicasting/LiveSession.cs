using System.Net;
using ImageForge.Multicast;
using ImageForge.Multicast.Channels;
using ImageForge.Multicast.Frames;

namespace ImageForge.Server.Multicasting;

/// <summary>A session while this process sends for it: one sender, one key, and who listens.</summary>
/// <param name="row">As it was when the sender began.</param>
/// <param name="settings">By which it sends.</param>
/// <param name="on">The interface; null: as the route says.</param>
internal sealed class LiveSession(SessionRow row, MulticastSettings settings, GroupEndpoint group, SendInterface? on, SessionContent content, StoredFrames frames, TimeProvider time) : IAsyncDisposable
{
    private readonly Lock _lock = new();
    private readonly Dictionary<long, LiveMember> _members = [];
    private readonly CancellationTokenSource _ending = new();
    private readonly MulticastSender _sender = new(
        new SenderOptions(group, on?.AddressOf(group.Group.AddressFamily), on?.Index ?? 0, settings.Ttl, settings.FragmentBytes, settings.BatchThatFits, row.Epoch, null, StartOf(row)), content, frames, time);

    private readonly HashSet<long> _silent = [];
    private readonly Dictionary<long, IPAddress> _hearers = [];

    private Task _running = Task.CompletedTask;
    private long _emptySince = time.GetTimestamp();
    private bool _closed;
    private long _bytesSaved;

    public SessionRow Row { get; } = row;

    public GroupEndpoint Group { get; } = group;

    public SendInterface? On { get; } = on;

    public int Ttl { get; } = settings.Ttl;

    public StoredFrames Frames { get; } = frames;

    /// <summary>It has begun to send; people have been told.</summary>
    public bool Started { get; set; } = row.StartedAt is not null;

    /// <summary>Bits per second it may send; null: no limit.</summary>
    public double? Cap
    {
        get => _sender.BitsPerSecond;
        set => _sender.BitsPerSecond = value;
    }

    public IReadOnlyList<LiveMember> Members
    {
        get
        {
            lock (_lock)
                return [.. _members.Values];
        }
    }

    /// <summary>Machines that heard nothing.</summary>
    public int Silent
    {
        get
        {
            lock (_lock)
                return _silent.Count;
        }
    }

    /// <summary>Where the machines are, or were, that packets reach.</summary>
    public IReadOnlyList<IPAddress> HearersBut(long task)
    {
        lock (_lock)
        {
            foreach (var member in _members.Values.Where(static m => m.Heard))
                _hearers[member.TaskId] = member.Address;
            return [.. _hearers.Where(h => h.Key != task).Select(static h => h.Value)];
        }
    }

    /// <summary>How long nobody has been here.</summary>
    public TimeSpan EmptyFor
    {
        get
        {
            lock (_lock)
                return _members.Count > 0 ? TimeSpan.Zero : time.GetElapsedTime(_emptySince);
        }
    }

    /// <summary>When a scheduled-cast begins with whoever is there; null: it waits for nobody.</summary>
    public DateTimeOffset? StartsAt => Row.StartsAt;

    public SenderFigures Figures() => _sender.Figures();

    /// <summary>As the sender sees them now; notes who hears and who is out of step.</summary>
    public SenderFigures Observe()
    {
        var figures = _sender.Figures();
        var byName = figures.Members.GroupBy(static m => m.Name).ToDictionary(static g => g.Key, static g => g.MaxBy(static m => m.Number)!);
        foreach (var member in Members)
        {
            if (byName.TryGetValue(member.Name, out var seen))
                member.Observe(seen);
        }
        return figures;
    }

    /// <summary>Bytes sent, and of them parity, since this was last asked.</summary>
    public (long Bytes, long Repair) TakeCounters(SenderFigures figures)
    {
        var bytes = figures.BytesSent - Interlocked.Exchange(ref _bytesSaved, figures.BytesSent);
        return (bytes, Repair(bytes, figures));
    }

    /// <summary>What <see cref="TakeCounters"/> gave could not be kept: it is given again.</summary>
    public void GiveBack(long bytes) => Interlocked.Add(ref _bytesSaved, -bytes);

    /// <summary>What <see cref="TakeCounters"/> would give.</summary>
    public (long Bytes, long Repair) Unsaved(SenderFigures figures)
    {
        var bytes = Math.Max(0, figures.BytesSent - Interlocked.Read(ref _bytesSaved));
        return (bytes, Repair(bytes, figures));
    }

    /// <summary>Begins to send.</summary>
    /// <returns>Ends with the sender; a fault says why it could not send.</returns>
    public Task RunAsync() => _running = Task.Run(() => _sender.RunAsync(_ending.Token));

    public void StartNow() => _sender.StartNow();

    /// <summary>Members go on over HTTP.</summary>
    public void Stop() => _sender.Stop();

    /// <summary>False: the session has closed, another one takes its place. An earlier connection of the same task has to go.</summary>
    public bool TryEnter(LiveMember member)
    {
        lock (_lock)
        {
            if (_closed)
                return false;
            if (_members.Remove(member.TaskId, out var before))
                before.Leave();
            _members[member.TaskId] = member;
            return true;
        }
    }

    /// <summary>Serves a member that has entered, until one of the two has enough.</summary>
    public async Task<MemberEnd> ServeAsync(LiveMember member, IControlChannel channel, CancellationToken cancellationToken)
    {
        try
        {
            using var any = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, member.Leaving, _ending.Token);
            return await _sender.ServeAsync(channel, member.Name, any.Token);
        }
        catch (OperationCanceledException)
        {
            return member.Leaving.IsCancellationRequested ? MemberEnd.Stopped : MemberEnd.Lost;
        }
        catch (IOException)
        {
            return MemberEnd.Lost;
        }
    }

    public void NoteSilent(LiveMember member)
    {
        lock (_lock)
            _silent.Add(member.TaskId);
    }

    public void NoteHearer(LiveMember member)
    {
        lock (_lock)
            _hearers[member.TaskId] = member.Address;
    }

    public void Leave(LiveMember member)
    {
        lock (_lock)
        {
            if (_members.TryGetValue(member.TaskId, out var present) && present == member)
                _members.Remove(member.TaskId);
            if (_members.Count == 0)
                _emptySince = time.GetTimestamp();
        }
    }

    /// <summary>Lets nobody in any more.</summary>
    /// <param name="evenWithMembers">False: only when nobody is here.</param>
    public bool TryClose(bool evenWithMembers)
    {
        lock (_lock)
        {
            if (_closed || _members.Count > 0 && !evenWithMembers)
                return false;
            return _closed = true;
        }
    }

    /// <summary>It could not be ended after all: machines may come again.</summary>
    public void Reopen()
    {
        lock (_lock)
            _closed = false;
    }

    /// <summary>Waits for members to leave by themselves, then ends what is left.</summary>
    public async Task EndAsync(TimeSpan patience)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20), time);
        for (var began = time.GetTimestamp(); Members.Count > 0 && time.GetElapsedTime(began) < patience;)
            await timer.WaitForNextTickAsync();
        await _ending.CancelAsync();
        // A fault is told by whoever waits for RunAsync.
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    public async ValueTask DisposeAsync()
    {
        await _sender.DisposeAsync();
        _ending.Dispose();
    }

    private static long Repair(long bytes, SenderFigures figures) => (long)(bytes * figures.RepairShare / (1 + figures.RepairShare));

    private static StartRule StartOf(SessionRow row) => row is { StartRule: Contracts.MulticastStart.Scheduled, StartedAt: null }
        ? StartRule.Scheduled(row.WaitForHosts ?? 1, row.StartsAt)
        : StartRule.FirstHost;
}
