using System.Buffers;
using System.Threading.Channels;
using ImageForge.Multicast.Channels;
using ImageForge.Multicast.Frames;
using ImageForge.Multicast.Messages;
using ImageForge.Multicast.Receiving;
using ImageForge.Multicast.Sockets;

namespace ImageForge.Multicast;

/// <summary>One member of a session, for one life of its connection.</summary>
public sealed class MulticastReceiver(ReceiverOptions options, SessionContent content, IControlChannel channel, IFrameSink sink, TimeProvider time)
{
    /// <summary>
    /// The core is asked at least so often what there is to say while the receiving thread waits for the disk; else that thread asks. Each
    /// beat wakes a thread of the pool, which then spins for a while.
    /// </summary>
    private static readonly TimeSpan s_beat = TimeSpan.FromMilliseconds(50);

    private static readonly TimeSpan s_leaveWithin = TimeSpan.FromSeconds(1);

    private readonly long _begun = time.GetTimestamp();
    private ReceivingThread? _thread;

    /// <summary>Joins with what is lacking and receives until the session or the patience ends. The set is copied.</summary>
    /// <exception cref="OperationCanceledException">Cancelled; the sender is told.</exception>
    public async Task<ReceiveOutcome> RunAsync(ChunkSet lack, CancellationToken cancel)
    {
        var socketPackets = SocketRoom.Packets(options.SocketBytes);
        var blockBytes = BlockBytesFor(options, content);
        var core = new ReceiverCore(
            new ReceiverCoreOptions((long)options.Patience.TotalMicroseconds, options.ClockScale, socketPackets, blockBytes * 3L / 4),
            lack.Clone(),
            new Random());
        // Not cancelled with the caller's token: a socket whose receive is cancelled cannot say any more that we leave.
        using var ended = new CancellationTokenSource();
        using var thread = new ReceivingThread(options with { BlockBytes = blockBytes }, content, core, sink, () => Now);
        _thread = thread;
        var receiving = thread.RunAsync(ended.Token);
        var listening = Task.CompletedTask;
        var channelLost = false;
        try
        {
            await SayAsync([new JoinMessage(ControlMessage.Version, (uint)socketPackets, lack.Clone())], cancel);
            listening = ListenAsync(thread, ended.Token);
            var speaking = SpeakAsync(thread, ended.Token);
            // A receiving thread that fails takes the others down; a connection that ends leaves only what is here already.
            var first = await Task.WhenAny(receiving, listening, speaking).WaitAsync(cancel);
            await first;
            channelLost = first == listening && thread.End is null;
            if (!channelLost)
            {
                // The sender closes the connection when it has read that we leave; closed from here, that could get lost.
                await speaking.WaitAsync(s_leaveWithin, time, cancel);
                await listening.WaitAsync(s_leaveWithin, time, cancel);
            }
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            await LeaveAsync(listening);
            throw;
        }
        catch (Exception e) when (e is IOException or TimeoutException or OperationCanceledException)
        {
            channelLost = thread.End is null;
        }
        finally
        {
            await ended.CancelAsync();
            await receiving.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        return thread.Outcome(channelLost ? ReceiveEnd.ChannelLost : thread.End ?? ReceiveEnd.ChannelLost);
    }

    public ReceiverFigures Figures() => _thread?.Figures() ?? new ReceiverFigures(0, 0, 0, 0, 0, 0, content.Chunks, 0, false, MemberLimit.None, null);

    /// <summary>Two blocks and a half of the longest frames at least: while one is repaired the next one comes.</summary>
    internal static int BlockBytesFor(ReceiverOptions options, SessionContent content)
    {
        var longest = 0;
        for (var chunk = 0; chunk < content.Chunks; chunk++)
            longest = Math.Max(longest, content.LongestFrame(chunk));
        return Math.Max(options.BlockBytes, 3 * longest);
    }

    private long Now => time.GetElapsedTime(_begun).Ticks / TimeSpan.TicksPerMicrosecond;

    private async Task ListenAsync(ReceivingThread thread, CancellationToken cancel)
    {
        while (await channel.ReceiveAsync(cancel) is { } bytes)
            if (!thread.Hear(bytes.Span))
                throw new IOException("The sender of the multicast session does not speak our protocol.");
    }

    /// <summary>Sends what the core has to say, until it has said that it leaves.</summary>
    private async Task SpeakAsync(ReceivingThread thread, CancellationToken cancel)
    {
        for (Task? waiting = null; ;)
        {
            waiting ??= thread.Said.WaitToReadAsync(cancel).AsTask();
            if (await Task.WhenAny(waiting, Task.Delay(s_beat, time, cancel)) == waiting)
                waiting = null;
            cancel.ThrowIfCancellationRequested();
            thread.Beat();
            while (thread.Said.TryRead(out var messages))
            {
                await SayAsync(messages, cancel);
                if (messages[^1] is LeaveMessage)
                    return;
            }
        }
    }

    private async Task SayAsync(List<ControlMessage> messages, CancellationToken cancel)
    {
        var buffer = new ArrayBufferWriter<byte>();
        foreach (var message in messages)
            message.Write(buffer);
        await channel.SendAsync(buffer.WrittenMemory, cancel);
    }

    /// <summary>Says that we were stopped, and waits for the sender to have read it.</summary>
    private async Task LeaveAsync(Task listening)
    {
        try
        {
            using var soon = new CancellationTokenSource(s_leaveWithin, time);
            await SayAsync([new LeaveMessage(LeaveReason.Stopped)], soon.Token);
            await listening.WaitAsync(soon.Token);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            // The sender notices by the connection.
        }
    }
}
