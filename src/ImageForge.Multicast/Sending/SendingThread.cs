using System.Net.Sockets;
using ImageForge.Multicast.Blocks;
using ImageForge.Multicast.Packets;
using ImageForge.Multicast.Sockets;

namespace ImageForge.Multicast.Sending;

/// <summary>The thread of a sender: asks the core what to send, writes and seals it, and hands batches to the kernel.</summary>
/// <param name="gate">Lock of the core.</param>
/// <param name="now">Clock of the core.</param>
/// <param name="key">Key of the core's epoch. Under the lock.</param>
/// <param name="dispatch">Hands out the core's messages. Under the lock.</param>
internal sealed class SendingThread(SenderOptions options, SenderCore core, Lock gate, BlockReader reader, Func<long> now, Func<EpochKey> key, Action dispatch) : IDisposable
{
    /// <summary>Below it the clock of the system's events is too coarse.</summary>
    private const long Fine = 2_000;

    private readonly AutoResetEvent _wake = new(false);
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Dictionary<uint, ComposedBlock> _blocks = [];
    private readonly byte[] _batch = new byte[options.Batch * (options.FragmentBytes + PacketHeader.Overhead)];
    private readonly PlannedPacket[] _plan = new PlannedPacket[options.Batch];
    private uint _oldest;
    private uint _epoch = options.Epoch;
    private bool _started;
    private volatile bool _wantsMemory;
    private long _ratedAt;
    private long _ratedPackets;
    private long _ratedNotSent;

    /// <summary>Completes when the thread is over, or never began.</summary>
    public Task Ended => _started ? _ended.Task : Task.CompletedTask;

    /// <summary>Packets sent.</summary>
    public long Packets { get; private set; }

    /// <summary>Over the last quarter of a second, smoothed.</summary>
    public double PacketsPerSecond { get; private set; }

    /// <summary>Share of the packets of the last quarter of a second that the kernel did not take.</summary>
    public double NotTaken { get; private set; }

    /// <summary>What the kernel said when it last refused a packet; null: it never did.</summary>
    public string? SendError { get; private set; }

    /// <summary>Something happened that the core may answer with packets.</summary>
    public void Wake()
    {
        try
        {
            _wake.Set();
        }
        catch (ObjectDisposedException)
        {
            // A member left after the end.
        }
    }

    /// <summary>After the thread has ended.</summary>
    public void Dispose() => _wake.Dispose();

    /// <summary>No buffer is free for the next block: the oldest is no longer kept.</summary>
    public void WantsMemory()
    {
        _wantsMemory = true;
        Wake();
    }

    public Task RunAsync(CancellationToken cancel)
    {
        _started = true;
        var thread = new Thread(() => Run(cancel)) { IsBackground = true, Name = "multicast sender" };
        thread.Start();
        return _ended.Task;
    }

    private void Run(CancellationToken cancel)
    {
        try
        {
            using var woken = cancel.Register(Wake);
            var packetBytes = options.FragmentBytes + PacketHeader.Overhead;
            using var socket = new MulticastSendSocket(
                new SendSocketOptions(options.Group, options.InterfaceIndex, options.LocalAddress, options.Ttl, packetBytes, options.Batch, options.Loopback));
            Send(socket, cancel);
            _ended.TrySetCanceled(cancel);
        }
        catch (Exception e)
        {
            _ended.TrySetException(e);
        }
        finally
        {
            foreach (var block in _blocks.Values)
                block.Dispose();
            _blocks.Clear();
        }
    }

    private void Send(MulticastSendSocket socket, CancellationToken cancel)
    {
        EpochKey? sealedWith = null;
        PacketSeal? seal = null;
        try
        {
            while (!cancel.IsCancellationRequested)
            {
                var (count, wake, epoch, announced) = Plan();
                if (epoch != sealedWith)
                {
                    seal?.Dispose();
                    (seal, sealedWith) = (epoch.NewSeal(options.FragmentBytes), epoch);
                }
                if (count > 0)
                    socket.Send(Write(count, seal!, epoch.Tag, announced));
                else if (wake > now())
                    Wait(wake - now());
                Packets += count;
                Rate(socket);
            }
        }
        finally
        {
            seal?.Dispose();
        }
    }

    private (int Count, long Wake, EpochKey Key, Messages.Announcement Announced) Plan()
    {
        lock (gate)
        {
            Forget();
            if (core.WantsBlock && reader.TryTake(out var block))
            {
                reader.Begun();
                _blocks.Add(block.Number, block);
                core.BeginBlock(block.Number, block.Shape.Length, block.Frames.Count);
            }
            if (_wantsMemory)
            {
                _wantsMemory = false;
                core.ForgetOldest();
            }
            var count = core.Next(now(), _plan, out var wake);
            dispatch();
            Forget();
            return (count, wake, key(), core.Announced);
        }
    }

    private void Forget()
    {
        if (core.Epoch != _epoch)
        {
            // Numbers begin again.
            foreach (var block in _blocks.Values)
                block.Dispose();
            _blocks.Clear();
            (_oldest, _epoch) = (0, core.Epoch);
        }
        for (; _oldest < core.OldestBlock; _oldest++)
            if (_blocks.Remove(_oldest, out var block))
                block.Dispose();
    }

    private ReadOnlySpan<byte> Write(int count, PacketSeal seal, uint tag, Messages.Announcement announced)
    {
        var packetBytes = options.FragmentBytes + PacketHeader.Overhead;
        for (var i = 0; i < count; i++)
        {
            var (kind, sequence, number, group, index) = _plan[i];
            var packet = _batch.AsSpan(i * packetBytes, packetBytes);
            var content = packet.Slice(PacketHeader.Size, options.FragmentBytes);
            var length = 0;
            if (kind == PacketKind.Announcement)
            {
                announced.Write(content);
            }
            else
            {
                var block = _blocks[number];
                length = block.Shape.Length;
                if (kind == PacketKind.Fragment)
                    block.WriteFragment(block.Shape.FragmentAt(group, index), content);
                else
                    block.WriteRow(group, index, content);
            }
            new PacketHeader(kind, tag, sequence, number, length, group, index).Write(packet);
            seal.Seal(packet);
        }
        return _batch.AsSpan(0, count * packetBytes);
    }

    private void Wait(long microseconds)
    {
        if (_wake.WaitOne(0))
            return;
        if (microseconds < Fine && core.PacketsPerSecond is not null)
            FineSleep.Microseconds(Math.Max(50, microseconds));
        else
            _wake.WaitOne(TimeSpan.FromMilliseconds(Math.Max(1, microseconds / 1000)));
    }

    private void Rate(MulticastSendSocket socket)
    {
        var passed = now() - _ratedAt;
        if (passed < 250_000)
            return;
        PacketsPerSecond += Math.Min(1, passed / 1e6) * (((Packets - _ratedPackets) * 1e6 / passed) - PacketsPerSecond);
        if (Packets > _ratedPackets)
            NotTaken = (socket.NotSent - _ratedNotSent) / (double)(Packets - _ratedPackets);
        if (socket.NotSent > _ratedNotSent)
            SendError = new SocketException((int)socket.LastError!.Value).Message;
        (_ratedAt, _ratedPackets, _ratedNotSent) = (now(), Packets, socket.NotSent);
    }
}
