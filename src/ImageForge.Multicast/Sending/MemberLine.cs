using System.Buffers;
using System.Threading.Channels;
using ImageForge.Multicast.Channels;
using ImageForge.Multicast.Messages;

namespace ImageForge.Multicast.Sending;

/// <summary>Messages on their way to one member, so that a slow connection holds up nobody.</summary>
internal sealed class MemberLine(IControlChannel channel, CancellationTokenSource end)
{
    /// <summary>A member that lets so many messages lie does not read.</summary>
    private const int Most = 256;

    private readonly Channel<ControlMessage> _messages = Channel.CreateBounded<ControlMessage>(new BoundedChannelOptions(Most) { SingleReader = true });

    /// <summary>The member was silent for too long, or does not read.</summary>
    public bool IsForgotten { get; private set; }

    public void Tell(ControlMessage message)
    {
        if (!_messages.Writer.TryWrite(message))
            Forget();
    }

    public void Forget()
    {
        IsForgotten = true;
        try
        {
            end.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // Its call has ended by itself.
        }
    }

    public void Close() => _messages.Writer.TryComplete();

    /// <summary>Sends until closed; what lies ready together goes together.</summary>
    public async Task RunAsync(CancellationToken cancel)
    {
        var buffer = new ArrayBufferWriter<byte>();
        while (await _messages.Reader.WaitToReadAsync(cancel))
        {
            buffer.ResetWrittenCount();
            while (_messages.Reader.TryRead(out var message))
                message.Write(buffer);
            await channel.SendAsync(buffer.WrittenMemory, cancel);
        }
    }
}
