using System.Net.WebSockets;

namespace ImageForge.Multicast.Channels;

/// <summary>Control messages as binary messages of a WebSocket, on either side.</summary>
/// <param name="longest">Bytes of a message at most: runs of a session of chunks in turns need 4 per chunk.</param>
public sealed class WebSocketChannel(WebSocket socket, int longest = 4 << 20) : IControlChannel, IDisposable
{
    private readonly SemaphoreSlim _sending = new(1, 1);
    private byte[] _buffer = new byte[4096];

    public async ValueTask SendAsync(ReadOnlyMemory<byte> message, CancellationToken cancel)
    {
        await _sending.WaitAsync(cancel);
        try
        {
            await socket.SendAsync(message, WebSocketMessageType.Binary, WebSocketMessageFlags.EndOfMessage, cancel);
        }
        catch (Exception e) when (IsGone(e, cancel))
        {
            throw new IOException("The other side of the multicast session is gone.", e);
        }
        finally
        {
            _sending.Release();
        }
    }

    public async ValueTask<ReadOnlyMemory<byte>?> ReceiveAsync(CancellationToken cancel)
    {
        try
        {
            for (var length = 0; ;)
            {
                if (length == _buffer.Length)
                {
                    if (length >= longest)
                        throw new IOException($"The other side of the multicast session sent a message of more than {longest} bytes.");
                    Array.Resize(ref _buffer, Math.Min(longest, _buffer.Length * 2));
                }
                var got = await socket.ReceiveAsync(_buffer.AsMemory(length), cancel);
                if (got.MessageType == WebSocketMessageType.Close)
                    return null;
                if (got.MessageType != WebSocketMessageType.Binary)
                    throw new IOException("The other side of the multicast session sent text.");
                length += got.Count;
                if (got.EndOfMessage)
                    return _buffer.AsMemory(0, length);
            }
        }
        catch (Exception e) when (IsGone(e, cancel))
        {
            throw new IOException("The other side of the multicast session is gone.", e);
        }
    }

    public void Dispose() => _sending.Dispose();

    /// <summary>A socket that gave up for want of an answer to its pings says that it was cancelled, although nobody did.</summary>
    private static bool IsGone(Exception e, CancellationToken cancel) =>
        e is WebSocketException or ObjectDisposedException or InvalidOperationException || e is OperationCanceledException && !cancel.IsCancellationRequested;
}
