using System.Net;

namespace ImageForge.NetBoot.Tftp;

/// <summary>Read-only TFTP server (RFC 1350, 2347, 2348, 2349, 7440): one thread, started and stopped as one thing.</summary>
/// <param name="onTransfer">Called for every request and its end on the transfer loop: must not block, must not throw.</param>
public sealed class TftpServer(TftpServerOptions options, ITftpFiles files, TimeProvider time, Action<TftpTransferReport> onTransfer) : IAsyncDisposable
{
    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TftpLoop? _loop;

    public TftpCounters Counters { get; } = new();

    /// <summary>The address and port in use after <see cref="Start"/>.</summary>
    public IPEndPoint LocalEndPoint { get; private set; } = new(options.ListenAddress, options.Port);

    /// <summary>Transfers going on now.</summary>
    public int ActiveTransfers => _loop?.ActiveTransfers ?? 0;

    /// <summary>Ends when the loop ends: normally only after <see cref="DisposeAsync"/>; with an exception when it died.</summary>
    public Task Completion => _completion.Task;

    /// <summary>Binds and starts answering.</summary>
    /// <exception cref="System.Net.Sockets.SocketException">The port is taken, the device is not there, or the right is missing.</exception>
    public void Start()
    {
        var loop = new TftpLoop(options, files, time, Counters, onTransfer);
        try
        {
            LocalEndPoint = loop.Bind();
        }
        catch
        {
            loop.Dispose();
            throw;
        }
        _loop = loop;
        new Thread(() => Run(loop)) { IsBackground = true, Name = "TFTP" }.Start();
    }

    private void Run(TftpLoop loop)
    {
        try
        {
            loop.Run();
            loop.Dispose();
            _completion.SetResult();
        }
        catch (Exception e)
        {
            loop.Dispose();
            _completion.SetException(e);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_loop is null)
            return;
        _loop.Stop();
        await Completion.ContinueWith(static _ => { }, TaskScheduler.Default);
    }
}
