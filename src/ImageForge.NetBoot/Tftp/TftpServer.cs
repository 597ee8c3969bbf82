using System.Net;

namespace ImageForge.NetBoot.Tftp;

/// <summary>Read-only TFTP server (RFC 1350, 2347, 2348, 2349, 7440).</summary>
public sealed class TftpServer(TftpServerOptions options, ITftpFiles files, TimeProvider time, Action<TftpTransferReport> onTransfer) : IAsyncDisposable
{
    public TftpCounters Counters { get; } = new();

    /// <summary>The address and port in use after <see cref="Start"/>.</summary>
    public IPEndPoint LocalEndPoint => new(options.ListenAddress, options.Port);

    /// <summary>Transfers going on now.</summary>
    public int ActiveTransfers { get; }

    /// <summary>Binds and starts answering.</summary>
    /// <exception cref="System.Net.Sockets.SocketException">The port is taken, the device is not there, or the right is missing.</exception>
    public void Start() => throw new NotImplementedException($"{files} {time} {onTransfer}");

    /// <summary>Ends when the loop ends: normally only after <see cref="DisposeAsync"/>; with an exception when the socket died.</summary>
    public Task Completion { get; } = Task.CompletedTask;

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
