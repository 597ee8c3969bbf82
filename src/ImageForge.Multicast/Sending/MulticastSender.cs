using ImageForge.Multicast.Blocks;
using ImageForge.Multicast.Channels;
using ImageForge.Multicast.Frames;
using ImageForge.Multicast.Messages;
using ImageForge.Multicast.Packets;
using ImageForge.Multicast.Sending;

namespace ImageForge.Multicast;

/// <summary>One session's sender: a thread that sends, and one call of <see cref="ServeAsync"/> per member.</summary>
public sealed class MulticastSender : IAsyncDisposable
{
    private const long KeptBytes = 48 << 20;

    /// <summary>Kept blocks, their unused ends, and what is read ahead.</summary>
    private const long BufferBytes = 96 << 20;

    private static readonly TimeSpan s_joinWithin = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan s_leaveWithin = TimeSpan.FromSeconds(3);

    private readonly SenderOptions _options;
    private readonly SessionContent _content;
    private readonly TimeProvider _time;
    private readonly long _begun;
    private readonly Lock _gate = new();
    private readonly SenderCore _core;
    private readonly BlockReader _reader;
    private readonly SendingThread _thread;
    private readonly Dictionary<int, MemberLine> _lines = [];
    private readonly CancellationTokenSource _stopped = new();
    private EpochKey _key;
    private Task _running = Task.CompletedTask;

    public MulticastSender(SenderOptions options, SessionContent content, IFrameSource frames, TimeProvider time)
        : this(options, content, frames, time, uint.MaxValue)
    {
    }

    internal MulticastSender(SenderOptions options, SessionContent content, IFrameSource frames, TimeProvider time, ulong sequenceEnd)
    {
        (_options, _content, _time, _begun) = (options, content, time, time.GetTimestamp());
        long? until = options.Start.Until is { } start ? (start - time.GetUtcNow()).Ticks / TimeSpan.TicksPerMicrosecond : null;
        _core = new SenderCore(
            new SenderCoreOptions(options.FragmentBytes, options.Batch, options.Epoch, PacketsPerSecond(options.BitsPerSecond), (options.Start.WaitFor, until), sequenceEnd, KeptBytes),
            content.Chunks,
            now: 0);
        _key = new EpochKey(options.Epoch);
        var composer = new BlockComposer(content, frames, options.FragmentBytes, new BlockBuffers(BufferBytes));
        _reader = new BlockReader(_core, _gate, composer, () => _thread!.WantsMemory(), () => _thread!.Wake(), time);
        _thread = new SendingThread(options, _core, _gate, _reader, () => Now, () => _key, Dispatch);
    }

    /// <summary>Most to send, headers included; may change at any time. Null: as fast as the majority takes it.</summary>
    public double? BitsPerSecond
    {
        get
        {
            lock (_gate)
                return _core.PacketsPerSecond * PacketBits;
        }
        set
        {
            lock (_gate)
                _core.PacketsPerSecond = PacketsPerSecond(value);
        }
    }

    private int PacketBytes => _options.FragmentBytes + PacketHeader.Overhead;

    /// <summary>On the wire, with the headers of UDP and IP.</summary>
    private double PacketBits => (PacketBytes + (_options.Group.Group.GetAddressBytes().Length == 4 ? 28 : 48)) * 8.0;

    private long Now => _time.GetElapsedTime(_begun).Ticks / TimeSpan.TicksPerMicrosecond;

    /// <summary>Sends until stopped or cancelled; cancelled it tells members nothing, so that they come back to the next sender.</summary>
    /// <exception cref="System.Net.Sockets.SocketException">The socket cannot be made.</exception>
    public Task RunAsync(CancellationToken cancel) => _running = SendAsync(cancel);

    private async Task SendAsync(CancellationToken cancel)
    {
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancel, _stopped.Token);
        var reading = _reader.RunAsync(both.Token);
        try
        {
            await await Task.WhenAny(_thread.RunAsync(both.Token), reading);
        }
        catch (OperationCanceledException) when (_stopped.IsCancellationRequested)
        {
            // Stopped, as wanted.
        }
        finally
        {
            await both.CancelAsync();
            await Task.WhenAll(_thread.Ended, reading).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Serves a member from its join to its leave.</summary>
    public async Task<MemberEnd> ServeAsync(IControlChannel channel, string name, CancellationToken cancel)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var line = new MemberLine(channel, end);
        int? number = null;
        Task? telling = null;
        try
        {
            if (await JoinAsync(channel, end.Token) is not { } join)
                return MemberEnd.Refused;
            lock (_gate)
            {
                number = _core.Join(name, join, Now);
                if (number is null)
                    return MemberEnd.Refused;
                _lines.Add(number.Value, line);
                Dispatch();
            }
            _thread.Wake();
            telling = line.RunAsync(end.Token);
            using var stopping = _stopped.Token.Register(() => end.CancelAfter(s_leaveWithin));
            return await ListenAsync(channel, number.Value, end.Token);
        }
        catch (IOException)
        {
            return MemberEnd.Lost;
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return line.IsForgotten ? MemberEnd.Silent : _stopped.IsCancellationRequested ? MemberEnd.Stopped : MemberEnd.Refused;
        }
        finally
        {
            lock (_gate)
            {
                if (number is { } left)
                {
                    _lines.Remove(left);
                    _core.Gone(left, Now);
                    Dispatch();
                }
            }
            line.Close();
            await end.CancelAsync();
            if (telling is not null)
                await telling.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            _thread.Wake();
        }
    }

    /// <summary>Begins a scheduled-cast now.</summary>
    public void StartNow()
    {
        lock (_gate)
        {
            _core.StartNow(Now);
            Dispatch();
        }
        _thread.Wake();
    }

    /// <summary>Ends the session: members go on over HTTP.</summary>
    public void Stop()
    {
        lock (_gate)
        {
            _core.Stop(Now);
            Dispatch();
        }
        _stopped.Cancel();
    }

    public SenderFigures Figures()
    {
        lock (_gate)
        {
            var members = _core.Members.Select(member => member.Figures((int)(PacketBits / 8))).ToList();
            return new SenderFigures(
                _core.State,
                _thread.PacketsPerSecond * PacketBits,
                (long)(_thread.Packets * PacketBits / 8),
                _core.DataPackets == 0 ? 0 : Math.Min(1, _core.ParityPackets / (double)_core.DataPackets),
                (int)_core.Pass,
                _core.ChunksDone,
                _content.Chunks,
                _core.Refused,
                members.Exists(member => member.Left is null) ? null : members.Max(member => member.Left),
                _core.Epoch,
                _thread.NotTaken,
                _thread.SendError,
                members);
        }
    }

    public async ValueTask DisposeAsync()
    {
        Stop();
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _thread.Dispose();
        _reader.Dispose();
        _key.Dispose();
        _stopped.Dispose();
    }

    private double? PacketsPerSecond(double? bitsPerSecond) => bitsPerSecond / PacketBits;

    /// <summary>The first message, which must be a join; null: it is not, or speaks another version.</summary>
    private async Task<JoinMessage?> JoinAsync(IControlChannel channel, CancellationToken cancel)
    {
        using var late = new CancellationTokenSource(s_joinWithin, _time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancel, late.Token);
        var first = await channel.ReceiveAsync(both.Token);
        return first is { } bytes && new MessageReader(bytes.Span, _content.Chunks).NextOfMember() is JoinMessage { Spoken: ControlMessage.Version } join ? join : null;
    }

    private async Task<MemberEnd> ListenAsync(IControlChannel channel, int number, CancellationToken cancel)
    {
        var messages = new MemberMessages(_content.Chunks);
        var allowance = new MemberAllowance(_time);
        while (await channel.ReceiveAsync(cancel) is { } bytes)
        {
            if (!messages.TryRead(bytes.Span))
            {
                lock (_gate)
                    _core.RefuseMessage();
                return MemberEnd.Refused;
            }
            var wait = allowance.Spend(bytes.Length, messages.HasLack);
            var end = Hear(number, messages);
            _thread.Wake();
            if (end is { } reason)
                return reason;
            if (wait > TimeSpan.Zero)
                await Task.Delay(wait, _time, cancel);
        }
        return MemberEnd.Lost;
    }

    private MemberEnd? Hear(int number, MemberMessages messages)
    {
        lock (_gate)
        {
            foreach (var message in messages.Read)
            {
                _core.Hear(number, message, Now);
                if (message is LeaveMessage leave)
                    return leave.Reason switch
                    {
                        LeaveReason.Complete => MemberEnd.Complete,
                        LeaveReason.NothingHeard => MemberEnd.HeardNothing,
                        LeaveReason.Stopped => MemberEnd.Stopped,
                        _ => MemberEnd.GoesOnOverHttp,
                    };
            }
            if (messages.Bad)
                _core.RefuseMessage();
            Dispatch();
        }
        return null;
    }

    /// <summary>Hands the core's messages to their members. Under the lock.</summary>
    private void Dispatch()
    {
        if (_key.Epoch != _core.Epoch)
        {
            _key.Dispose();
            _key = new EpochKey(_core.Epoch);
        }
        foreach (var (number, message) in _core.Outbox)
            if (_lines.TryGetValue(number, out var line))
                line.Tell(message ?? _key.Welcome(number, _options.Group, _options.FragmentBytes, _content.Chunks));
        _core.Outbox.Clear();
        foreach (var number in _core.Forgotten)
            if (_lines.TryGetValue(number, out var line))
                line.Forget();
        _core.Forgotten.Clear();
    }
}
