using ImageForge.Contracts;
using ImageForge.Imaging.Chunks;

namespace ImageForge.Agent.Server;

/// <summary>Asks the server which of many chunks it lacks: n × 32 id bytes → bitmap, bit i = 1: lacking (least significant bit first).</summary>
internal static class ChunkQuestion
{
    /// <summary>Ids per request: 128 KiB of ids, 4 GiB of content at 1 MiB per chunk.</summary>
    public const int LargestBatch = 4096;

    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(60);

    public static async Task<bool[]> MissingAsync(ServerConnection connection, string path, IReadOnlyList<ChunkId> ids, CancellationToken cancel)
    {
        var missing = new bool[ids.Count];
        for (var first = 0; first < ids.Count; first += LargestBatch)
        {
            var count = Math.Min(LargestBatch, ids.Count - first);
            var question = new byte[count * ChunkId.Size];
            for (var i = 0; i < count; i++)
                ids[first + i].CopyTo(question.AsSpan(i * ChunkId.Size));
            var bitmap = await connection.SendAsync(HttpMethod.Post, path, () => AgentServer.Bytes(question),
                (response, c) => ServerConnection.ReadAllAsync(response, LargestBatch / 8, c), s_timeout, cancel);
            if (bitmap.Length != (count + 7) / 8)
                throw new FailureException("badAnswer", Fault.Server, $"The server answered {bitmap.Length} bytes where {(count + 7) / 8} were agreed.",
                    "Use the agent and the server of the same release.");
            for (var i = 0; i < count; i++)
                missing[first + i] = (bitmap[i / 8] >> (i % 8) & 1) != 0;
        }
        return missing;
    }
}
