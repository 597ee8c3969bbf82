using System.Collections;
using ImageForge.Imaging.Disks;
using ImageForge.Imaging.Manifests;
using ImageForge.Imaging.Pipelines;

namespace ImageForge.Imaging.Deploy.Arrivals;

/// <summary>One disk that a stream writes to: what it still lacks, and its way to the disk.</summary>
/// <param name="remote">Null: what is not waited for here is the server's doing.</param>
internal sealed class ArrivalTarget(WritePlan plan, DeployOptions options, DeployState state, TargetWriter writer, DeployProgress progress, IRemoteTimes? remote)
{
    /// <summary>On the way to the disk and not marked written yet. Under the lock of the <see cref="SpanAssembly"/>.</summary>
    private readonly BitArray[] _claimed = [.. plan.Manifest.Volumes.Select(v => new BitArray(v.ChunkCount))];

    public Manifest Manifest => plan.Manifest;

    public DeployProgress Progress => progress;

    public IRemoteTimes? Remote => remote;

    public int WritesInFlight => Math.Max(options.WritesInFlight, 1);

    public bool IsDone(int volume, int chunk) => state.IsDone(volume, chunk);

    /// <summary>Chunks per span: spans of a stream begin at multiples of it, so that a chunk has one span whatever arrives when.</summary>
    public int SpanChunks(int volume) => Math.Max(1, ChunkSpan.Bytes / Manifest.Volumes[volume].Header.ChunkSize);

    /// <summary>The chunks of a span that are neither done nor on their way.</summary>
    public ChunkSpan Open_NeedsLock(int volume, int number)
    {
        var of = Manifest.Volumes[volume];
        var most = SpanChunks(volume);
        var chunks = new List<ManifestChunk>(most);
        for (var i = number * most; i < Math.Min((number + 1) * most, of.ChunkCount); i++)
            if (!_claimed[volume][i] && !state.IsDone(volume, i) && of[i] is { Kind: not ChunkKind.Unused } chunk)
                chunks.Add(chunk);
        return new ChunkSpan(volume, of, chunks);
    }

    public void Claim_NeedsLock(ChunkSpan span, bool[] missing)
    {
        for (var i = 0; i < missing.Length; i++)
            if (!missing[i])
                _claimed[span.VolumeIndex][span.Chunks[i].Index] = true;
    }

    public void Write(OpenSpan open, StageTimes times, CancellationToken cancel)
    {
        try
        {
            writer.Put(open.Span, open.Missing, open.Plain.Span[..open.Span.Length], times, cancel);
        }
        catch (DiskException e)
        {
            throw DeployFailures.Disk(e, plan.VolumeAt(e.Offset));
        }
    }
}
