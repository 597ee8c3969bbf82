using System.Globalization;
using ImageForge.Imaging.Chunks;
using ImageForge.Imaging.Pipelines;

namespace ImageForge.Agent.Server;

/// <summary>Where a capture's chunks go: POST capture/chunks/missing asks in batches, PUT capture/chunks/{id} sends. Safe to call from several threads.</summary>
internal sealed class HttpChunkSink(ServerConnection connection, Traffic traffic) : IChunkSink, IRemoteTimes
{
    private readonly ServerTime _server = new();
    private static readonly TimeSpan s_perFrame = TimeSpan.FromSeconds(60);

    public TimeSpan ServerTime => _server.Spent;

    public async ValueTask<bool[]> MissingAsync(IReadOnlyList<ChunkId> ids, CancellationToken cancel) =>
        await ChunkQuestion.MissingAsync(connection, "capture/chunks/missing", ids, cancel);

    public async ValueTask StoreAsync(ChunkId id, int plainLength, ReadOnlyMemory<byte> frame, CancellationToken cancel)
    {
        await connection.SendAsync(HttpMethod.Put, "capture/chunks/" + id, () =>
        {
            var body = AgentServer.Bytes(frame);
            body.Headers.Add("X-Plain-Length", plainLength.ToString(CultureInfo.InvariantCulture));
            return body;
        }, (response, c) =>
        {
            _server.Add(response);
            return AgentServer.Nothing(response, c);
        }, s_perFrame, cancel);
        traffic.AddSent(frame.Length);
    }
}
