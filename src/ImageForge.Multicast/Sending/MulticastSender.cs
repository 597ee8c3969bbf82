using ImageForge.Multicast.Channels;
using ImageForge.Multicast.Frames;

namespace ImageForge.Multicast;

/// <summary>One session's sender: a thread that sends, and one call of <see cref="ServeAsync"/> per member.</summary>
public sealed class MulticastSender(SenderOptions options, SessionContent content, IFrameSource frames, TimeProvider time) : IAsyncDisposable
{
    /// <summary>Most to send, headers included; may change at any time. Null: as fast as the majority takes it.</summary>
    public double? BitsPerSecond { get; set; } = options.BitsPerSecond;

    /// <summary>Sends until stopped or cancelled.</summary>
    /// <exception cref="IOException">The socket cannot be made or does not send.</exception>
    public Task RunAsync(CancellationToken cancel) => throw new NotImplementedException($"{content} {frames} {time} {cancel.IsCancellationRequested}");

    /// <summary>Serves a member from its join to its leave.</summary>
    public Task<MemberEnd> ServeAsync(IControlChannel channel, string name, CancellationToken cancel) => throw new NotImplementedException();

    /// <summary>Begins a scheduled-cast now.</summary>
    public void StartNow() => throw new NotImplementedException();

    /// <summary>Ends the session: members go on over HTTP.</summary>
    public void Stop() => throw new NotImplementedException();

    public SenderFigures Figures() => throw new NotImplementedException();

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
