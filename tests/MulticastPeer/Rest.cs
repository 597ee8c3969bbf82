using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;

namespace ImageForge.MulticastPeer;

/// <summary>
/// What the stream left over, over a connection of its own beside it, as the agent gets it over HTTPS: a chunk number there, a frame back.
/// </summary>
internal static class Rest
{
    /// <summary>Where the sender that listens at an address gives frames.</summary>
    public static IPEndPoint Beside(IPEndPoint sender) => new(sender.Address, sender.Port + 1);

    public static async Task ServeAsync(IPEndPoint sender, Func<ContentFolder> content, X509Certificate2 certificate)
    {
        using var listener = new TcpListener(Beside(sender));
        listener.Start();
        while (true)
            _ = GiveAsync(await listener.AcceptSocketAsync(), content, certificate);
    }

    /// <summary>Frames of these chunks, in their order.</summary>
    public static async IAsyncEnumerable<(int Chunk, ReadOnlyMemory<byte> Frame)> FetchAsync(IPEndPoint sender, IEnumerable<int> chunks)
    {
        using var channel = await SecureChannel.ConnectAsync(Beside(sender), CancellationToken.None);
        var request = new byte[4];
        foreach (var chunk in chunks)
        {
            BinaryPrimitives.WriteInt32BigEndian(request, chunk);
            await channel.SendAsync(request, CancellationToken.None);
            yield return (chunk, await channel.ReceiveAsync(CancellationToken.None) ?? throw new IOException("the sender closed"));
        }
    }

    private static async Task GiveAsync(Socket socket, Func<ContentFolder> content, X509Certificate2 certificate)
    {
        try
        {
            using var channel = await SecureChannel.AcceptAsync(socket, certificate);
            var frame = new byte[2 << 20];
            while (await channel.ReceiveAsync(CancellationToken.None) is { } request)
            {
                var length = await content().ReadFrameAsync(BinaryPrimitives.ReadInt32BigEndian(request.Span), frame, CancellationToken.None);
                await channel.SendAsync(frame.AsMemory(0, length), CancellationToken.None);
            }
        }
        catch (IOException)
        {
            // It has what it wanted.
        }
        finally
        {
            socket.Dispose();
        }
    }
}
