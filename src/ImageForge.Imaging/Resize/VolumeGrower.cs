using ImageForge.Contracts;
using ImageForge.Imaging.Disks;
using ImageForge.Imaging.FileSystems;

namespace ImageForge.Imaging.Resize;

/// <summary>
/// Grows with the file system's own means: resize2fs and ntfsresize on the unmounted volume, the kernel's ioctl on mounted XFS and
/// Btrfs. Each is first asked whether it would: what refuses is left as it is, with a note.
/// </summary>
public sealed class VolumeGrower : IVolumeGrower
{
    public GrowthOutcome Grow(IBlockDevice target, long offset, long length, FileSystemKind kind, CancellationToken cancel)
    {
        if (target is not (LinuxBlockDevice or ImageFileDevice))
            return Left("this kind of target has no device the tools could use");
        try
        {
            // A hibernated Windows would come back to a file system that changed under it; the resizers themselves do not look.
            if (VolumeProbe.Identify(target, offset, length, cancel) is { State: not VolumeState.Clean } unclean)
                return Left($"it was not closed cleanly on the source ({unclean.State})");
            using var volume = LoopVolume.Attach(target.Name, offset, length, target.SectorSize);
            var outcome = kind switch
            {
                FileSystemKind.Ext2 or FileSystemKind.Ext3 or FileSystemKind.Ext4 => GrowExt(volume.Node, cancel),
                FileSystemKind.Ntfs => GrowNtfs(volume.Node, cancel),
                FileSystemKind.Xfs => MountedGrowth.Xfs(volume.Node, length),
                FileSystemKind.Btrfs => MountedGrowth.Btrfs(volume.Node),
                _ => Left($"{kind} is not grown"),
            };
            volume.Flush();
            return outcome;
        }
        catch (DiskException e) when (e.Operation is "open" or "attach" or "find a free loop device")
        {
            return Left(e.Message);
        }
    }

    private static GrowthOutcome GrowExt(string node, CancellationToken cancel)
    {
        // 1: errors corrected. resize2fs wants this check on everything that was mounted since the last one.
        if (ToolRun.Of("e2fsck", cancel, "-f", "-p", node) is { ExitCode: not (0 or 1) } check)
            return Left($"e2fsck: {check.Said}");
        if (ToolRun.Of("resize2fs", cancel, node) is not { ExitCode: not 0 } resize)
            return new GrowthOutcome(true, null);
        return ToolRun.Of("e2fsck", cancel, "-f", "-n", node).ExitCode == 0 ? Left($"resize2fs: {resize.Said}") : throw Failed("resize2fs", resize);
    }

    private static GrowthOutcome GrowNtfs(string node, CancellationToken cancel)
    {
        if (ToolRun.Of("ntfsresize", cancel, "--no-action", "--no-progress-bar", node) is { ExitCode: not 0 } rehearsal)
            return Left($"ntfsresize: {rehearsal.Said}");
        if (ToolRun.Of("ntfsresize", cancel, "--force", "--force", "--no-progress-bar", node) is not { ExitCode: not 0 } resize)
            return new GrowthOutcome(true, "Windows checks the grown volume at its first start.");
        return ToolRun.Of("ntfsresize", cancel, "--check", "--force", node).ExitCode == 0 ? Left($"ntfsresize: {resize.Said}") : throw Failed("ntfsresize", resize);
    }

    internal static GrowthOutcome Left(string why) => new(false, $"The partition was grown and its file system left as it was: {why}.");

    private static FailureException Failed(string tool, ToolRun run) => new("growFailed", Fault.Disk,
        $"{tool} failed while it grew the file system: {run.Said}.",
        "Order the job again without \"fill\"; if the disk reports errors too, replace it.");
}
