using System.Threading.Channels;
using ImageForge.Multicast.Channels;

namespace ImageForge.Multicast.Tests.Sessions;

/// <summary>A connection without a network: two ends, each message as it was sent.</summary>
internal sealed class ChannelPair
{
    private readonly Channel<byte[]> _up = Channel.CreateUnbounded<byte[]>();
    private readonly Channel<byte[]> _down = Channel.CreateUnbounded<byte[]>();

    public ChannelPair() => (Member, Sender) = (new Side(_down.Reader, _up.Writer, this), new Side(_up.Reader, _down.Writer, this));

    public IControlChannel Member { get; }

    public IControlChannel Sender { get; }

    /// <summary>Messages of the member so far.</summary>
    public int Said { get; private set; }

    /// <summary>The connection ends for both.</summary>
    public void Break()
    {
        _up.Writer.TryComplete();
        _down.Writer.TryComplete();
    }

    private sealed class Side(ChannelReader<byte[]> from, ChannelWriter<byte[]> to, ChannelPair pair) : IControlChannel
    {
        public ValueTask SendAsync(ReadOnlyMemory<byte> message, CancellationToken cancel)
        {
            if (this == pair.Member)
                pair.Said++;
            return to.TryWrite(message.ToArray()) ? ValueTask.CompletedTask : throw new IOException("broken");
        }

        public async ValueTask<ReadOnlyMemory<byte>?> ReceiveAsync(CancellationToken cancel) =>
            await from.WaitToReadAsync(cancel) && from.TryRead(out var message) ? message.AsMemory() : (ReadOnlyMemory<byte>?)null;
    }
}
