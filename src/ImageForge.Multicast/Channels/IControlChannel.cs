namespace ImageForge.Multicast.Channels;

/// <summary>Ordered, authenticated, private messages between a member and its sender (README.md, Messages). Sending may be done by several threads.</summary>
public interface IControlChannel
{
    /// <exception cref="IOException">The other side is gone.</exception>
    ValueTask SendAsync(ReadOnlyMemory<byte> message, CancellationToken cancel);

    /// <summary>The next message, valid until the next call; null: the other side closed the channel.</summary>
    /// <exception cref="IOException">The other side is gone, or sent a message longer than agreed.</exception>
    ValueTask<ReadOnlyMemory<byte>?> ReceiveAsync(CancellationToken cancel);
}
