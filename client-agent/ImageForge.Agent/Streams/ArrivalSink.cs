using ImageForge.Agent.Server;
using ImageForge.Imaging.Deploy.Arrivals;
using ImageForge.Imaging.Pipelines;
using ImageForge.Multicast;
using ImageForge.Multicast.Frames;

namespace ImageForge.Agent.Streams;

/// <summary>Frames of a multicast stream on their way to the deploy.</summary>
internal sealed class ArrivalSink(ArrivingChunks chunks, Traffic traffic) : IFrameSink
{
    public bool HasRoom => chunks.HasRoom;

    public MemberLimit Behind => chunks.Behind switch
    {
        Bottleneck.Disk => MemberLimit.Disk,
        Bottleneck.Cpu => MemberLimit.Processor,
        _ => MemberLimit.None,
    };

    public long WaitingBytes => chunks.WaitingBytes;

    public ValueTask TakeAsync(int chunk, ReadOnlyMemory<byte> frame, CancellationToken cancel)
    {
        traffic.AddReceived(frame.Length);
        return chunks.TakeAsync(chunk, frame, cancel);
    }

    public IReadOnlyList<int> Refused() => chunks.Refused();
}
