using ImageForge.Multicast.Channels;
using ImageForge.Multicast.Frames;

namespace ImageForge.Multicast;

/// <summary>One member of a session, for one life of its connection.</summary>
public sealed class MulticastReceiver(ReceiverOptions options, SessionContent content, IControlChannel channel, IFrameSink sink, TimeProvider time)
{
    /// <summary>Joins with what is lacking and receives until the session or the patience ends. The set is copied.</summary>
    /// <exception cref="OperationCanceledException">Cancelled; the sender is told.</exception>
    public Task<ReceiveOutcome> RunAsync(ChunkSet lack, CancellationToken cancel) =>
        throw new NotImplementedException($"{options} {content} {channel} {sink} {time} {lack} {cancel.IsCancellationRequested}");

    public ReceiverFigures Figures() => throw new NotImplementedException();
}
