using System.Globalization;
using ImageForge.Imaging.Chunks;

namespace ImageForge.Agent.Server;

/// <summary>Where a capture's chunks go: POST capture/chunks/missing asks in batches, PUT capture/chunks/{id} sends. Safe to call from several threads.</summary>
internal sealed class HttpChunkSink(ServerConnection connection, Traffic traffic) : IChunkSink
{
    private static readonly TimeSpan s_perFrame = TimeSpan.FromSeconds(60);

    public async ValueTask<bool[]> MissingAsync(IReadOnlyList<ChunkId> ids, CancellationToken cancel) =>
        await ChunkQuestion.MissingAsync(connection, "capture/chunks/missing", ids, cancel);

    public async ValueTask StoreAsync(ChunkId id, int plainLength, ReadOnlyMemory<byte> frame, CancellationToken cancel)
    {
        await connection.SendAsync(HttpMethod.Put, "capture/chunks/" + id, () =>
        {
            var body = AgentServer.Bytes(frame);
            body.Headers.Add("X-Plain-Length", plainLength.ToString(CultureInfo.InvariantCulture));
            return body;
        }, AgentServer.Nothing, s_perFrame, cancel);
        traffic.AddSent(frame.Length);
    }
}
