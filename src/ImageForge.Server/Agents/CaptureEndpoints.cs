using System.Buffers;
using System.Globalization;
using ImageForge.Contracts;
using ImageForge.Imaging.Chunks;
using ImageForge.Server.Errors;
using ImageForge.Server.Images;
using ImageForge.Server.ImageStore;
using Microsoft.AspNetCore.Http.HttpResults;

namespace ImageForge.Server.Agents;

/// <summary>What a capture does: ask what is missing, send it, send the manifest.</summary>
internal static class CaptureEndpoints
{
    public const int MaxIdsPerQuestion = 65_536;

    /// <summary>A 4 TB disk in 1 MiB chunks with a bitmap of 4 KiB blocks for each has a manifest of about 256 MiB.</summary>
    public const int MaxManifest = 512 << 20;

    private const string PlainLengthHeader = "X-Plain-Length";

    // A machine whose power was cut says no more; what it was sending must not hold memory for ever. Agents give up earlier themselves.
    private static readonly TimeSpan ChunkPatience = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan ManifestPatience = TimeSpan.FromMinutes(15);

    public static void MapCaptureEndpoints(this RouteGroupBuilder agent)
    {
        agent.MapPost("capture/chunks/missing", MissingAsync).WithMetadata(new AgentCall(JobKind.Capture, MayBeOld: true));
        agent.MapPut("capture/chunks/{id}", PutAsync).WithMetadata(new AgentCall(JobKind.Capture, MayBeOld: true));
        agent.MapPost("capture/manifest", SealAsync).WithMetadata(new AgentCall(JobKind.Capture));
    }

    /// <summary>n × 32 id bytes → bitmap, bit i = 1: send it.</summary>
    private static async Task<IResult> MissingAsync(HttpContext context, ChunkStore store, ChunkLeases leases, CancellationToken cancellationToken)
    {
        var (bytes, problem) = await AgentBody.ReadAsync(context, MaxIdsPerQuestion * ChunkId.Size, cancellationToken);
        if (bytes is null)
            return problem!;
        if (ChunkIdList.TryParse(bytes.Value.Span) is not { } ids)
            return ChunkIdList.Problem();
        // What is lacking before anything was sent is what this capture adds; for the statistics only.
        var lacked = await Task.Run(() => Array.ConvertAll(ids, id => !store.Holds(id)), cancellationToken);
        // The lease first: between "held" and its lease nobody may remove the chunk.
        await leases.RecordAsync(context.Session().Task.Id, ids, cancellationToken, lacked);
        var missing = await Task.Run(() => store.Missing(ids), cancellationToken);
        return TypedResults.Bytes(ChunkIdList.ToBitmap(missing), "application/octet-stream");
    }

    /// <summary>One zstd frame → 204 stored, 200 already held.</summary>
    private static async Task<IResult> PutAsync(
        string id, HttpContext context, ChunkStore store, ChunkLeases leases, UploadMemory memory, StoreSpace space, TimeProvider time, CancellationToken cancellationToken)
    {
        if (!ChunkId.TryParse(id, out var chunk))
            return Problems.BadRequest("badChunkId", "A chunk id is 64 lower-case hex digits.", "Use an agent of the same version as the server.");
        var session = context.Session();
        var largest = session.Job.Parameters.ChunkSize is > 0 and var ordered ? ordered : ChunkSizes.Largest;
        if (!int.TryParse(context.Request.Headers[PlainLengthHeader], NumberStyles.None, CultureInfo.InvariantCulture, out var plainLength)
            || plainLength < 1 || plainLength > largest)
            return Problems.BadRequest("badPlainLength", $"{PlainLengthHeader} must say how many bytes the chunk has, 1 to {largest}.", "Use an agent of the same version as the server.");
        if (context.Request.ContentLength is not { } length)
            return Problems.Of(StatusCodes.Status411LengthRequired, "The request is not understood", "lengthRequired", "A chunk needs a Content-Length.", "Use an agent of the same version as the server.");
        if (length > ChunkFrame.MaxLength(plainLength))
            return AgentBody.TooLarge(ChunkFrame.MaxLength(plainLength));
        if (!await leases.HasAsync(session.Task.Id, chunk, cancellationToken))
            return Problems.Conflict("chunkNotAsked", $"Task {session.Task.Id} has not asked whether chunk {id} is missing.", "Ask with POST capture/chunks/missing first.");
        // A full disk is known before the body has crossed the network.
        if (!store.HasSpaceFor(length) && !store.Holds(chunk))
            return space.Problem();

        AgentBody.Allow(context, length);
        using var _ = await memory.TakeAsync(length, cancellationToken);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(ChunkPatience);
        var buffer = ArrayPool<byte>.Shared.Rent((int)length);
        try
        {
            await context.Request.Body.ReadExactlyAsync(buffer.AsMemory(0, (int)length), patience.Token);
            var started = time.GetTimestamp();
            var put = store.Put(chunk, plainLength, buffer.AsSpan(0, (int)length));
            ServerTiming.Tell(context, time, started);
            return put switch
            {
                ChunkPut.Stored => TypedResults.NoContent(),
                ChunkPut.AlreadyHeld => TypedResults.Ok(),
                ChunkPut.DiskFull => space.Problem(),
                _ => Problems.Of(StatusCodes.Status422UnprocessableEntity, "Not what its name says", "chunkRefused",
                    $"What arrived as chunk {id} is not one zstd frame of {plainLength} bytes with that hash.",
                    "Send it again; if it happens again, check the memory and the network of this machine.", Fault.Network),
            };
        }
        catch (EndOfStreamException)
        {
            return Problems.BadRequest("bodyBrokeOff", "The chunk broke off.", "Send it again.", Fault.Network);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return AgentBody.TooSlow();
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static async Task<IResult> SealAsync(
        HttpContext context, ImageSealing sealing, ChunkLeases leases, ChunkFaults faults, StoreSpace space, [FromKeyedServices(UploadMemory.Manifests)] UploadMemory memory,
        CancellationToken cancellationToken)
    {
        var session = context.Session();
        using var taken = await memory.TakeAsync(context.Request.ContentLength ?? MaxManifest, cancellationToken);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(ManifestPatience);
        ReadOnlyMemory<byte>? manifest;
        ProblemHttpResult? problem;
        try
        {
            (manifest, problem) = await AgentBody.ReadAsync(context, MaxManifest, patience.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return AgentBody.TooSlow();
        }
        if (manifest is null)
            return problem!;
        switch (await sealing.SealAsync(session.Task.Id, session.Job.ImageName!, manifest.Value, cancellationToken, memory: taken))
        {
            case SealOutcome.Sealed(var version):
                await leases.ReleaseAsync(session.Task.Id, cancellationToken);
                await faults.HealAsync(force: false, cancellationToken);
                await sealing.AfterSealAsync(version, cancellationToken);
                return TypedResults.Json(new SealReply(version.ImageName, version.Number, version.ManifestHash), AgentJson.Default.SealReply);
            case SealOutcome.BadManifest(var failure):
                return Problems.Of(StatusCodes.Status422UnprocessableEntity, "Not a manifest", failure.Code, failure.Sentence, failure.Cure, failure.Fault);
            case SealOutcome.ChunksMissing(var count, var first):
                return Problems.Of(StatusCodes.Status422UnprocessableEntity, "Chunks are missing", "chunksMissing",
                    $"The store lacks {count} chunks that the manifest names, for example {string.Join(", ", first)}.",
                    "Ask again which chunks are missing, send them and the manifest.", Fault.Server);
            case SealOutcome.NotDurable(var errno):
                return Problems.Unavailable("storeNotDurable",
                    $"The server's disk did not write what it was given (errno {errno}); what arrived last was removed.",
                    "Check the disk of the server, then ask again which chunks are missing and send them and the manifest.");
            case SealOutcome.TaskEnded:
                return Problems.Conflict("taskEnded", $"Task {session.Task.Id} has ended while its image was being sealed.", "Nothing to do; the machine restarts.");
            default:
                return space.Problem();
        }
    }
}
