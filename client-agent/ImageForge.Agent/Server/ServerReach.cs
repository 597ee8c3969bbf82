namespace ImageForge.Agent.Server;

/// <summary>Whether the server answers, for the screen. Written by every call, read by the painter.</summary>
internal sealed class ServerReach(TimeProvider time)
{
    private sealed record Silence(long Since, string Reason);

    private Silence? _silence;

    public void Answered() => Volatile.Write(ref _silence, null);

    public void Lost(string reason)
    {
        var since = Volatile.Read(ref _silence)?.Since ?? time.GetTimestamp();
        Volatile.Write(ref _silence, new Silence(since, reason));
    }

    /// <summary>How long the server has been away and why, null while it answers.</summary>
    public (TimeSpan Since, string Reason)? Away =>
        Volatile.Read(ref _silence) is { } silence ? (time.GetElapsedTime(silence.Since), silence.Reason) : null;
}
