using System.Diagnostics;
using ImageForge.Imaging.Capture;
using ImageForge.Imaging.Deploy;
using ImageForge.Imaging.Disks;

namespace ImageForge.Bench.Imaging;

/// <summary>The engines as the agent runs them, on a block device with O_DIRECT, between a disk and a local store.</summary>
internal static class Ours
{
    public static async Task<(Spent Spent, CaptureResult Result, CaptureProgress Progress)> CaptureAsync(MadeDisk disk, LocalStore store, string name, CaptureOptions options)
    {
        using var loop = LoopDisk.Attach(disk.File);
        var clock = Clock.Start();
        using var source = LinuxBlockDevice.OpenForReading(loop.Path);
        var engine = new CaptureEngine(source, store.Chunks, options);
        var result = await engine.RunAsync(CancellationToken.None);
        store.Seal(name, result.ManifestBytes);
        return (clock.Spent, result, engine.Progress);
    }

    public static async Task<(Spent Spent, DeployProgress Progress)> DeployAsync(CaptureResult image, LocalStore store, MadeDisk disk, DeployOptions options)
    {
        using var loop = LoopDisk.Attach(disk.File);
        var clock = Clock.Start();
        using var target = LinuxBlockDevice.OpenForWriting(loop.Path);
        var plan = DeployPlanner.Plan(image.Manifest, image.ManifestHash, target.SizeBytes, target.SectorSize, ResumeRecord.ReadFrom(target));
        var engine = new DeployEngine(target, store.Chunks, plan.Plan ?? throw new InvalidOperationException(plan.Failure!.Sentence), options);
        await engine.RunAsync(CancellationToken.None);
        return (clock.Spent, engine.Progress);
    }

    private readonly struct Clock
    {
        private readonly long _started;
        private readonly TimeSpan _used;

        private Clock(long started, TimeSpan used) => (_started, _used) = (started, used);

        public static Clock Start() => new(Stopwatch.GetTimestamp(), Used());

        public Spent Spent => new(Stopwatch.GetElapsedTime(_started).TotalSeconds, (Used() - _used).TotalSeconds);

        private static TimeSpan Used()
        {
            using var self = Process.GetCurrentProcess();
            return self.TotalProcessorTime;
        }
    }
}
