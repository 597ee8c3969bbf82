using ImageForge.Contracts;
using ImageForge.Imaging.Chunks;
using ImageForge.Server.Errors;
using ImageForge.Server.Images;
using ImageForge.Server.ImageStore;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Net.Http.Headers;
using Microsoft.Win32.SafeHandles;

namespace ImageForge.Server.Agents;

/// <summary>What a deploy does: fetch the manifest and the chunks of its own version, nothing else.</summary>
internal static class DeployEndpoints
{
    private const string SignatureHeader = "X-Manifest-Signature";

    public static void MapDeployEndpoints(this RouteGroupBuilder agent)
    {
        agent.MapGet("deploy/manifest", ManifestAsync).WithMetadata(new AgentCall(JobKind.Deploy));
        agent.MapGet("deploy/chunks/{id}", ChunkAsync).WithMetadata(new AgentCall(JobKind.Deploy, MayBeOld: true));
        agent.MapPost("deploy/chunks/missing", MissingAsync).WithMetadata(new AgentCall(JobKind.Deploy, MayBeOld: true));
    }

    private static async Task<IResult> ManifestAsync(
        HttpContext context, ManifestFiles manifests, VersionChunks versionChunks, Alarms alarms, CancellationToken cancellationToken)
    {
        if (context.Session().Version is not { } version)
            return NoVersion();
        // A deploy that cannot end must not begin: every chunk is looked for before the agent learns what to write.
        if (await versionChunks.MissingAsync(version.ManifestHash, cancellationToken) is not { } missing)
            return await ManifestGoneAsync(version, alarms, cancellationToken);
        if (missing.Count > 0)
            return await ChunkMissingAsync(version, missing[0], missing.Count, alarms, cancellationToken);
        if (manifests.OpenRead(version.ManifestHash) is not { } file)
            return await ManifestGoneAsync(version, alarms, cancellationToken);
        context.Response.Headers[SignatureHeader] = Convert.ToBase64String(version.Signature);
        return new StoredFile(file, "application/octet-stream");
    }

    private static async Task<IResult> ChunkAsync(
        string id, HttpContext context, ChunkStore store, VersionChunks versionChunks, Alarms alarms, TimeProvider time, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        if (!ChunkId.TryParse(id, out var chunk))
            return Problems.BadRequest("badChunkId", "A chunk id is 64 lower-case hex digits.", "Use an agent of the same version as the server.");
        if (context.Session().Version is not { } version)
            return NoVersion();
        if (await versionChunks.OfAsync(version.ManifestHash, cancellationToken) is not { } chunks)
            return await ManifestGoneAsync(version, alarms, cancellationToken);
        if (!chunks.Contains(chunk))
            return Problems.Forbidden("chunkOfAnotherImage", $"Chunk {id} is not part of {version.ImageName} version {version.Number}.", "A deploy may read only what belongs to its image.");
        if (store.OpenRead(chunk) is not { } file)
        {
            versionChunks.Doubt(version.ManifestHash);
            return await ChunkMissingAsync(version, chunk, 1, alarms, cancellationToken);
        }
        ServerTiming.Tell(context, time, started);
        return new StoredFile(file, "application/zstd");
    }

    /// <summary>n × 32 id bytes → bitmap, bit i = 1: this deploy cannot get it.</summary>
    private static async Task<IResult> MissingAsync(
        HttpContext context, ChunkStore store, VersionChunks versionChunks, Alarms alarms, CancellationToken cancellationToken)
    {
        var (bytes, problem) = await AgentBody.ReadAsync(context, CaptureEndpoints.MaxIdsPerQuestion * ChunkId.Size, cancellationToken);
        if (bytes is null)
            return problem!;
        if (ChunkIdList.TryParse(bytes.Value.Span) is not { } ids)
            return ChunkIdList.Problem();
        if (context.Session().Version is not { } version)
            return NoVersion();
        if (await versionChunks.OfAsync(version.ManifestHash, cancellationToken) is not { } chunks)
            return await ManifestGoneAsync(version, alarms, cancellationToken);
        var missing = await Task.Run(() => Array.ConvertAll(ids, id => !chunks.Contains(id) || !store.Holds(id)), cancellationToken);
        return TypedResults.Bytes(ChunkIdList.ToBitmap(missing), "application/octet-stream");
    }

    private static ProblemHttpResult NoVersion() =>
        Problems.NotFound("versionGone", "The image version of this task no longer exists.", "Order the job again with a version that exists.", Fault.Image);

    private static async Task<IResult> ManifestGoneAsync(ImageVersion version, Alarms alarms, CancellationToken cancellationToken)
    {
        var image = $"{version.ImageName} version {version.Number}";
        await alarms.RaiseAsync("manifestMissing", image, $"The manifest of {image} is missing or damaged in the store.", cancellationToken);
        return Problems.NotFound("manifestMissing", $"The manifest of {image} is missing or damaged in the store.",
            "Deploy another version, or capture the image again.", Fault.Image);
    }

    private static async Task<IResult> ChunkMissingAsync(ImageVersion version, ChunkId first, int count, Alarms alarms, CancellationToken cancellationToken)
    {
        var image = $"{version.ImageName} version {version.Number}";
        var what = count == 1 ? $"Chunk {first} of {image} is not in the store." : $"{count} chunks of {image} are not in the store, for example {first}.";
        await alarms.RaiseAsync("chunkMissing", image, $"{what} Capture the image again: what is missing is sent again.", cancellationToken);
        return Problems.NotFound("chunkMissing", what, "Capture the image again, or deploy another version.", Fault.Image);
    }
}

/// <summary>
/// A file of the store as a body: read straight into the connection's own buffers, never whole into memory. About twice the throughput
/// of the framework's file result. Disposes the file.
/// </summary>
internal sealed class StoredFile(SafeFileHandle file, string contentType) : IResult
{
    private const int ReadSize = 256 << 10;

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        using (file)
        {
            var response = httpContext.Response;
            var length = RandomAccess.GetLength(file);
            response.ContentType = contentType;
            response.ContentLength = length;
            // Named by its hash, so it never changes; private, because the right to it hangs on the task.
            response.Headers[HeaderNames.CacheControl] = "private, immutable, max-age=31536000";
            for (var at = 0L; at < length;)
            {
                var span = response.BodyWriter.GetMemory((int)Math.Min(ReadSize, length - at));
                var read = RandomAccess.Read(file, span.Span[..(int)Math.Min(span.Length, length - at)], at);
                if (read == 0)
                {
                    // Shorter than a moment ago: the client must not take it for whole.
                    httpContext.Abort();
                    return;
                }
                response.BodyWriter.Advance(read);
                at += read;
                if ((await response.BodyWriter.FlushAsync(httpContext.RequestAborted)).IsCompleted)
                    return;
            }
        }
    }
}
