using ImageForge.Contracts;
using ImageForge.Imaging.Chunks;
using ImageForge.Imaging.Disks;
using ImageForge.Imaging.Manifests;

namespace ImageForge.Imaging.Capture;

/// <summary>Reads a disk (never writes it) and sends what the sink lacks. One instance per run; README.md tells the flow.</summary>
/// <param name="source">Opened read-only; a writable device is refused.</param>
public sealed class CaptureEngine(IBlockDevice source, IChunkSink sink, CaptureOptions options)
{
    public CaptureProgress Progress { get; } = new();

    /// <summary>Returns once the sink has taken every chunk; the manifest in the result is then handed in by the caller.</summary>
    /// <exception cref="FailureException">The disk cannot be read, or what the sink threw.</exception>
    public async Task<CaptureResult> RunAsync(CancellationToken cancel)
    {
        if (!source.IsReadOnly)
            throw new InvalidOperationException($"{source.Name} is open for writing; a capture reads only");
        if (options.ChunkSize != ChunkSizes.Automatic && !ChunkSizes.IsValid(options.ChunkSize))
            throw new InvalidOperationException($"{options.ChunkSize} is not a chunk size");
        try
        {
            // The maps are read on a thread of their own: on a large disk that takes seconds.
            var plan = await Task.Factory.StartNew(() => CapturePlan.Read(source, options, cancel), cancel, TaskCreationOptions.LongRunning, TaskScheduler.Default);
            Progress.SetTotal(plan.ReadBytes);
            using (var pipeline = new CapturePipeline(source, sink, options, plan, Progress))
                await pipeline.RunAsync(cancel);
            var manifest = plan.Build(options.DiskModel);
            var bytes = ManifestWriter.Write(manifest);
            return new CaptureResult(bytes, ManifestHash.Of(bytes), manifest);
        }
        catch (DiskException e)
        {
            throw new FailureException(e.ToFailure(), e);
        }
    }
}
