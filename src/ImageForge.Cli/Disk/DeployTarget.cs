using ImageForge.Contracts;
using ImageForge.Imaging.Chunks;
using ImageForge.Imaging.Deploy;
using ImageForge.Imaging.DiskFiles;
using ImageForge.Imaging.Disks;

namespace ImageForge.Cli.Disk;

/// <summary>One disk of a deploy with its plan. A file that is to be made is not made before the plan was shown.</summary>
/// <param name="device">Null: a new file, made when the deploy begins.</param>
internal sealed class DeployTarget(string path, IBlockDevice? device, WritePlan plan, DeployPlan description, int sectorSize) : IDisposable
{
    private IBlockDevice? _device = device;

    public DeployPlan Description { get; } = description;

    /// <summary>Nothing is lost.</summary>
    public bool IsNew { get; } = device is null;

    /// <summary>The engine that is to write; a new file is made now.</summary>
    public (DeployEngine Engine, WritePlan Plan) Prepare(IChunkSource source, DeployOptions options)
    {
        _device ??= DiskFile.Create(path, plan.DiskSizeBytes, sectorSize);
        return (new DeployEngine(_device, source, plan, options, TimeProvider.System), plan);
    }

    public bool IsResuming => plan.Resuming;

    public string Path => path;

    public void Dispose() => _device?.Dispose();
}
