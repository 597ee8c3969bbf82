namespace ImageForge.NetBoot.Dhcp;

/// <summary>
/// The socket under a responder: UDP on 0.0.0.0, bound to one device, so that nothing leaves by another.
/// </summary>
public sealed class DhcpListener(DhcpListenerOptions options, IDhcpResponder responder, Action<DhcpExchange> onExchange) : IAsyncDisposable
{
    public DhcpCounters Counters { get; } = new();

    /// <summary>Binds and starts answering.</summary>
    /// <exception cref="System.Net.Sockets.SocketException">The port is taken, the device is not there, or the right is missing (CAP_NET_BIND_SERVICE, CAP_NET_RAW).</exception>
    public void Start() => throw new NotImplementedException($"{options.Port} {responder} {onExchange}");

    /// <summary>Ends when the loop ends: normally only after <see cref="DisposeAsync"/>; with an exception when the socket died.</summary>
    public Task Completion { get; } = Task.CompletedTask;

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
