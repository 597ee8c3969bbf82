using ImageForge.Cli.Output;
using ImageForge.Contracts;
using ImageForge.Imaging.Chunks;
using ImageForge.Imaging.Deploy;
using ImageForge.Imaging.DiskFiles;
using ImageForge.Imaging.Disks;
using ImageForge.Imaging.LocalStore;

namespace ImageForge.Cli.Disk;

/// <summary>One disk of a deploy with its plan. A file that is to be made is not made before the plan was shown.</summary>
/// <param name="device">Null: a new file, made when the deploy begins.</param>
internal sealed class DeployTarget(string path, IBlockDevice? device, WritePlan plan, DeployPlan description, int sectorSize) : IDisposable
{
    private IBlockDevice? _device = device;

    public DeployPlan Description { get; } = description;

    /// <summary>Nothing is lost.</summary>
    public bool IsNew { get; } = device is null;

    public async Task<DeployReport> RunAsync(LocalImageVersion version, IChunkSource source, DeployOptions options, CancellationToken cancel)
    {
        var started = TimeProvider.System.GetTimestamp();
        _device ??= DiskFile.Create(path, plan.DiskSizeBytes, sectorSize);
        var engine = new DeployEngine(_device, source, plan, options, TimeProvider.System);
        var work = engine.RunAsync(cancel);
        await ProgressLine.WatchAsync(work, () => new Done(Phase(engine.Progress.Phase), engine.Progress.BytesDone, engine.Progress.BytesTotal));
        return new DeployReport(version.Image, version.Number, plan.ManifestHash, path,
            engine.Progress.BytesWritten, engine.Progress.BytesKept, engine.Progress.BytesFetched, options.ReadBack, TimeProvider.System.GetElapsedTime(started).TotalSeconds);
    }

    public void Dispose() => _device?.Dispose();

    private static string Phase(DeployPhase phase) => phase switch
    {
        DeployPhase.Preparing => "preparing",
        DeployPhase.Transferring => "writing",
        DeployPhase.Verifying => "reading back",
        _ => "finishing",
    };
}
