using ImageForge.Contracts;
using ImageForge.Imaging.Chunks;
using ImageForge.Imaging.Pipelines;

namespace ImageForge.Agent.Server;

/// <summary>Chunks of the image being deployed, from GET deploy/chunks/{id}. Several may be read at once; a lost one is asked for again from its start.</summary>
internal sealed class HttpChunkSource(ServerConnection connection, Traffic traffic) : IChunkSource, IChunkInventory, IRemoteTimes
{
    private readonly ServerTime _server = new();
    private static readonly TimeSpan s_perFrame = TimeSpan.FromSeconds(60);

    public TimeSpan ServerTime => _server.Spent;

    public async ValueTask<int> ReadFrameAsync(ChunkId id, Memory<byte> frame, CancellationToken cancel)
    {
        var length = await connection.SendAsync(HttpMethod.Get, "deploy/chunks/" + id, null,
            (response, c) =>
            {
                _server.Add(response);
                return ReadAsync(response, id, frame, c);
            }, s_perFrame, cancel);
        traffic.AddReceived(length);
        return length;
    }

    /// <summary>POST deploy/chunks/missing: a deploy that cannot end does not begin.</summary>
    public async ValueTask<bool[]> HeldAsync(IReadOnlyList<ChunkId> ids, CancellationToken cancel) =>
        Array.ConvertAll(await ChunkQuestion.MissingAsync(connection, "deploy/chunks/missing", ids, cancel), missing => !missing);

    private static async ValueTask<int> ReadAsync(HttpResponseMessage response, ChunkId id, Memory<byte> frame, CancellationToken cancel)
    {
        using var body = await response.Content.ReadAsStreamAsync(cancel);
        var length = 0;
        while (length < frame.Length)
        {
            var count = await body.ReadAsync(frame[length..], cancel);
            if (count == 0)
                return length;
            length += count;
        }
        if (await body.ReadAsync(new byte[1], cancel) != 0)
            throw new FailureException("chunkTooLong", Fault.Image, $"Chunk {id} is longer on the server than any chunk of this image can be.",
                "Verify the image on the server, or deploy another version.");
        return length;
    }
}
