using System.Net.WebSockets;
using ImageForge.Multicast.Channels;
using ImageForge.Multicast.Tests.Sessions;

namespace ImageForge.Multicast.Tests.Channels;

/// <summary>A WebSocket whose pings nobody answers aborts itself, and tells whoever waits for it of a cancellation that nobody asked for.</summary>
public sealed class AbortedSocketTests
{
    [Fact]
    public async Task A_socket_that_gives_up_by_itself_is_a_connection_that_is_gone()
    {
        using var channel = new WebSocketChannel(new AbortedSocket());
        await Assert.ThrowsAsync<IOException>(() => channel.ReceiveAsync(CancellationToken.None).AsTask());
        await Assert.ThrowsAsync<IOException>(() => channel.SendAsync(new byte[1], CancellationToken.None).AsTask());
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => channel.ReceiveAsync(new CancellationToken(true)).AsTask());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_member_whose_socket_gives_up_has_lost_its_connection_and_nothing_else(bool behindChannel)
    {
        var disk = new FrameDisk(seed: 5, chunks: 4, longest: 4096);
        using var gone = new WebSocketChannel(new AbortedSocket { Sends = true });
        var receiver = new MulticastReceiver(new ReceiverOptions("lo", 1, null, TimeSpan.FromSeconds(5)), disk.Content, behindChannel ? gone : new AbortedChannel(), new CheckingSink(disk), TimeProvider.System);
        var outcome = await receiver.RunAsync(ChunkSet.Full(4), CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(20));
        Assert.Equal((ReceiveEnd.ChannelLost, 4), (outcome.End, outcome.Lacking.Count));
    }

    private sealed class AbortedChannel : IControlChannel
    {
        public ValueTask SendAsync(ReadOnlyMemory<byte> message, CancellationToken cancel) => ValueTask.CompletedTask;

        public ValueTask<ReadOnlyMemory<byte>?> ReceiveAsync(CancellationToken cancel) => throw new OperationCanceledException("Aborted");
    }

    private sealed class AbortedSocket : WebSocket
    {
        public bool Sends { get; init; }

        public override WebSocketCloseStatus? CloseStatus => null;

        public override string? CloseStatusDescription => null;

        public override WebSocketState State => WebSocketState.Aborted;

        public override string? SubProtocol => null;

        public override void Abort()
        {
        }

        public override Task CloseAsync(WebSocketCloseStatus closeStatus, string? statusDescription, CancellationToken cancellationToken) => Task.CompletedTask;

        public override Task CloseOutputAsync(WebSocketCloseStatus closeStatus, string? statusDescription, CancellationToken cancellationToken) => Task.CompletedTask;

        public override Task<WebSocketReceiveResult> ReceiveAsync(ArraySegment<byte> buffer, CancellationToken cancellationToken) =>
            throw new OperationCanceledException("Aborted");

        public override Task SendAsync(ArraySegment<byte> buffer, WebSocketMessageType messageType, bool endOfMessage, CancellationToken cancellationToken) =>
            Sends ? Task.CompletedTask : throw new OperationCanceledException("Aborted");

        public override void Dispose()
        {
        }
    }
}
