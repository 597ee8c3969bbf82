using System.Net.Sockets;
using System.Threading.Channels;
using ImageForge.Multicast.Blocks;
using ImageForge.Multicast.Frames;
using ImageForge.Multicast.Messages;
using ImageForge.Multicast.Packets;
using ImageForge.Multicast.Sockets;

namespace ImageForge.Multicast.Receiving;

/// <summary>The thread of a member: packets from the socket, opened, counted by the core, put together to blocks, their frames to the sink.</summary>
/// <param name="now">Clock of the core.</param>
internal sealed partial class ReceivingThread(ReceiverOptions options, SessionContent content, ReceiverCore core, IFrameSink sink, Func<long> now) : IDisposable
{
    /// <summary>Messages that wait for a slow connection; while so many do, nothing more is said.</summary>
    private const int MostSaid = 16;

    private static readonly TimeSpan s_listen = TimeSpan.FromMilliseconds(10);

    private readonly Lock _gate = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Channel<List<ControlMessage>> _said = Channel.CreateUnbounded<List<ControlMessage>>();
    private readonly BlockBuffers _buffers = new(options.BlockBytes);
    private readonly Dictionary<uint, BlockAssembly> _blocks = [];
    private readonly Queue<BlockAssembly> _whole = new();
    private readonly AutoResetEvent _welcomed = new(false);
    private WelcomeMessage? _welcome;
    private bool _opening;

    /// <summary>The end of a pass of the epoch whose welcome the thread has not taken yet.</summary>
    private PassEndMessage? _passEnd;
    private MulticastReceiveSocket? _socket;
    private PacketSeal? _seal;
    private uint _tag;
    private int _fragmentBytes;

    /// <summary>What is to be sent over the connection, in this order.</summary>
    public ChannelReader<List<ControlMessage>> Said => _said.Reader;

    public ReceiveEnd? End
    {
        get
        {
            lock (_gate)
                return core.End;
        }
    }

    public Task RunAsync(CancellationToken cancel)
    {
        var thread = new Thread(() => Run(cancel)) { IsBackground = true, Name = "multicast receiver" };
        thread.Start();
        return _ended.Task;
    }

    /// <summary>Messages of the sender. False: they are none.</summary>
    public bool Hear(ReadOnlySpan<byte> bytes)
    {
        var reader = new MessageReader(bytes, content.Chunks);
        while (reader.NextOfSender() is { } message)
        {
            lock (_gate)
            {
                if (message is WelcomeMessage welcome)
                {
                    (_welcome, _group, _passEnd) = (welcome, new GroupEndpoint(welcome.Group, welcome.Port), null);
                    _welcomed.Set();
                }
                else if (message is PassEndMessage passEnd && (_welcome is not null || _opening))
                {
                    _passEnd = passEnd;
                }
                else
                {
                    core.Hear(message, now());
                }
            }
        }
        return !reader.Bad;
    }

    /// <summary>Asks the core what there is to say.</summary>
    public void Beat()
    {
        lock (_gate)
            Speak(now());
    }

    public void Dispose()
    {
        _welcomed.Dispose();
        _seal?.Dispose();
        _socket?.Dispose();
        foreach (var block in _blocks.Values)
            block.Dispose();
    }

    private void Run(CancellationToken cancel)
    {
        try
        {
            using var woken = cancel.Register(() => _welcomed.Set());
            while (!cancel.IsCancellationRequested && End is null)
            {
                if (TakeWelcome() is { } welcome && !Open(welcome))
                    break;
                if (_socket is null)
                    _welcomed.WaitOne(s_listen);
                else if (_socket.Receive() is > 0 and var count)
                    Take(count, cancel);
                else
                    Beat();
            }
            _ended.TrySetResult();
        }
        catch (OperationCanceledException)
        {
            _ended.TrySetResult();
        }
        catch (Exception e)
        {
            _ended.TrySetException(e);
        }
    }

    private WelcomeMessage? TakeWelcome()
    {
        lock (_gate)
        {
            var welcome = _welcome;
            (_welcome, _opening) = (null, welcome is not null);
            return welcome;
        }
    }

    /// <summary>Listens under a new key. False: this machine cannot.</summary>
    private bool Open(WelcomeMessage welcome)
    {
        var socketOptions = new ReceiveSocketOptions(new GroupEndpoint(welcome.Group, welcome.Port), options.InterfaceIndex, options.LocalAddress,
            welcome.FragmentBytes + PacketHeader.Overhead, options.SocketBytes);
        if (_socket is null || socketOptions != _socketOptions)
        {
            _socket?.Dispose();
            try
            {
                _socket = new MulticastReceiveSocket(socketOptions) { Timeout = s_listen };
            }
            catch (SocketException e)
            {
                lock (_gate)
                {
                    _socketError = e.Message;
                    core.GiveUp(ReceiveEnd.NothingHeard);
                }
                return false;
            }
            _socketOptions = socketOptions;
        }
        _seal?.Dispose();
        _seal = PacketSeal.Create(welcome.Key, welcome.Salt, welcome.FragmentBytes);
        (_tag, _fragmentBytes) = (welcome.Tag, welcome.FragmentBytes);
        lock (_gate)
        {
            core.Welcome(welcome.Member, welcome.Epoch, welcome.FragmentBytes, now());
            _opening = false;
            if (_welcome is null && _passEnd is { } passEnd)
            {
                _passEnd = null;
                core.Hear(passEnd, now());
            }
            ForgetDropped();
            Speak(now());
        }
        return true;
    }

    private void Take(int count, CancellationToken cancel)
    {
        lock (_gate)
        {
            var at = now();
            for (var i = 0; i < count; i++)
                Take(_socket!.Packet(i), at);
            Speak(at);
        }
        while (_whole.TryDequeue(out var block))
            using (block)
                Hand(block, cancel);
    }

    private void Take(Span<byte> packet, long at)
    {
        if (!PacketHeader.TryRead(packet, _tag, _fragmentBytes, out var header))
        {
            _strangers++;
            return;
        }
        // Looked at before it is opened, changed only afterwards: a forger may say any sequence.
        if (!core.Sequences.IsFresh(header.Sequence))
            return;
        if (!_seal!.Open(packet))
        {
            _refused++;
            return;
        }
        if (!core.Verified(header.Kind, header.Sequence, header.Block, at))
            return;
        var body = packet.Slice(PacketHeader.Size, _fragmentBytes);
        if (header.Kind == PacketKind.Announcement)
        {
            if (Announcement.TryRead(body) is { } announcement)
                core.Hear(announcement, header.Sequence, at);
            return;
        }
        _ = header.Kind == PacketKind.Parity ? _rows++ : _fragments++;
        if (core.Admit(header.Block, header.Length, sink.HasRoom) == Admission.Open)
            Put(header, body, at);
        ForgetDropped();
    }

    private void Put(in PacketHeader header, ReadOnlySpan<byte> body, long at)
    {
        if (!_blocks.TryGetValue(header.Block, out var block))
        {
            ForgetDropped();
            while ((block = BlockAssembly.TryBegin(_buffers, header, _fragmentBytes)) is null)
            {
                if (!core.DropOldestBut(header.Block))
                {
                    core.NoMemory(header.Block);
                    return;
                }
                ForgetDropped();
            }
            _blocks.Add(header.Block, block);
        }
        var taken = block.Take(header, body);
        var isNew = taken == Taken.New;
        if (header.Kind == PacketKind.Parity)
            core.TookRow(header.Block, header.Group, header.Index, isNew, at);
        else if (isNew)
            core.TookFragment(header.Block, header.Group);
        if (block.IsWhole)
        {
            _blocks.Remove(header.Block);
            _whole.Enqueue(block);
        }
        else if (header is { Kind: PacketKind.Fragment, Group: 0, Index: 0 } && !IsWanted(body))
        {
            core.Unwanted(header.Block);
        }
    }

    /// <summary>Whether a block's table, which stands at the start of its first fragment, names something that is lacking.</summary>
    private bool IsWanted(ReadOnlySpan<byte> fragment)
    {
        if (BlockTable.TryReadChunks(fragment) is not { } chunks)
            return true;
        foreach (var chunk in chunks)
            if (core.Lacking.Contains(chunk))
                return true;
        return false;
    }

    private void ForgetDropped()
    {
        foreach (var number in core.Dropped)
            if (_blocks.Remove(number, out var block))
                block.Dispose();
        core.Dropped.Clear();
    }

    private void Hand(BlockAssembly block, CancellationToken cancel)
    {
        if (block.ReadTable(content) is not { } frames)
        {
            // Its packets verified, so a member made it. What it pretends to hold comes again in the next pass.
            _refused++;
            return;
        }
        foreach (var frame in frames)
        {
            lock (_gate)
            {
                if (!core.Lacking.Contains(frame.Chunk))
                    continue;
            }
            Hand(frame.Chunk, block.Frame(frame), cancel);
        }
    }

    private void Hand(int chunk, ReadOnlyMemory<byte> frame, CancellationToken cancel)
    {
        var taking = sink.TakeAsync(chunk, frame, cancel);
        if (!taking.IsCompleted)
        {
            lock (_gate)
                core.SinkWaits(true, now());
            try
            {
                taking.AsTask().GetAwaiter().GetResult();
            }
            finally
            {
                lock (_gate)
                {
                    _waitedAt = now();
                    core.SinkWaits(false, _waitedAt);
                }
            }
        }
        else
        {
            taking.GetAwaiter().GetResult();
        }
        lock (_gate)
            core.Got(chunk);
    }

    /// <summary>Under the lock.</summary>
    private void Speak(long at)
    {
        if (!core.IsDue(at) || _said.Reader.Count >= MostSaid)
            return;
        foreach (var chunk in sink.Refused())
            core.Wrong(chunk);
        var messages = new List<ControlMessage>();
        core.Poll(at, Status(at), messages, out _);
        ForgetDropped();
        if (messages.Count > 0)
            _said.Writer.TryWrite(messages);
    }
}
