namespace ImageForge.Agent.Server;

/// <summary>Bytes of chunk frames and manifests on the wire since the agent started.</summary>
internal sealed class Traffic
{
    private long _sent;
    private long _received;

    public long Sent => Interlocked.Read(ref _sent);
    public long Received => Interlocked.Read(ref _received);

    public void AddSent(long bytes) => Interlocked.Add(ref _sent, bytes);
    public void AddReceived(long bytes) => Interlocked.Add(ref _received, bytes);
}
