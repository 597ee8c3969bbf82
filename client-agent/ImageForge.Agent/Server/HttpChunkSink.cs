using System.Globalization;
using ImageForge.Contracts;
using ImageForge.Imaging.Chunks;

namespace ImageForge.Agent.Server;

/// <summary>Where a capture's chunks go: POST capture/chunks/missing asks in batches, PUT capture/chunks/{id} sends. Safe to call from several threads.</summary>
internal sealed class HttpChunkSink(ServerConnection connection, Traffic traffic) : IChunkSink
{
    /// <summary>Ids per question: 128 KiB of ids, 4 GiB of content at 1 MiB per chunk.</summary>
    public const int LargestBatch = 4096;

    private static readonly TimeSpan s_question = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan s_perFrame = TimeSpan.FromSeconds(60);

    public async ValueTask<bool[]> MissingAsync(IReadOnlyList<ChunkId> ids, CancellationToken cancel)
    {
        var missing = new bool[ids.Count];
        for (var first = 0; first < ids.Count; first += LargestBatch)
        {
            var count = Math.Min(LargestBatch, ids.Count - first);
            var question = new byte[count * ChunkId.Size];
            for (var i = 0; i < count; i++)
                ids[first + i].CopyTo(question.AsSpan(i * ChunkId.Size));
            var bitmap = await connection.SendAsync(HttpMethod.Post, "capture/chunks/missing", () => AgentServer.Bytes(question),
                (response, c) => ServerConnection.ReadAllAsync(response, LargestBatch / 8, c), s_question, cancel);
            if (bitmap.Length != (count + 7) / 8)
                throw new FailureException("badAnswer", Fault.Server, $"The server answered {bitmap.Length} bytes where {(count + 7) / 8} were agreed.",
                    "Use the agent and the server of the same release.");
            for (var i = 0; i < count; i++)
                missing[first + i] = (bitmap[i / 8] >> (i % 8) & 1) != 0;
        }
        return missing;
    }

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
