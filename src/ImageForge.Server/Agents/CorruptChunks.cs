using ImageForge.Imaging.Chunks;
using ImageForge.Server.Events;
using ImageForge.Server.Images;
using ImageForge.Server.ImageStore;

namespace ImageForge.Server.Agents;

/// <summary>An agent found that a chunk's content is not what its name says: is it the store, or that machine?</summary>
internal sealed partial class CorruptChunks(ChunkFaults faults, VersionChunks versionChunks, EventLog events, ILogger<CorruptChunks> logger)
{
    public async Task ReportedAsync(ImageVersion version, ChunkId id, CancellationToken cancellationToken)
    {
        if (await versionChunks.OfAsync(version.ManifestHash, cancellationToken) is not { } chunks || !chunks.Contains(id))
            return;
        var verdict = (await faults.SetAsideAsync([id], cancellationToken))[id];
        var image = $"{version.ImageName} version {version.Number}";
        LogVerdict(id, image, verdict);
        if (verdict == ChunkVerdict.Good)
            await events.RecordAsync("chunkCorrupt", image,
                $"A machine received chunk {id} of {image} damaged, but it is good in the store: check that machine's memory and network.", cancellationToken);
        else if (verdict == ChunkVerdict.Unreadable)
            await events.RecordAsync("chunkCorrupt", image,
                $"The disk of the server cannot read chunk {id} of {image} now: check that disk and its cable, then verify the store.", cancellationToken);
    }

    [LoggerMessage(LogLevel.Error, "Chunk {Chunk} of {Image} was reported corrupt and is {Verdict} in the store")]
    private partial void LogVerdict(ChunkId chunk, string image, ChunkVerdict verdict);
}
