using ImageForge.Contracts;
using ImageForge.Imaging.Capture;
using ImageForge.Imaging.Chunks;
using ImageForge.Imaging.Deploy;
using ImageForge.Imaging.Disks;
using ImageForge.Imaging.FileSystems;
using ImageForge.Imaging.Manifests;

namespace ImageForge.Imaging.Resize;

/// <param name="ManifestBytes">Of the smaller image; every chunk it names is with the sink.</param>
/// <param name="Shrunk">Number, size before and size after of each volume that lost room.</param>
public sealed record ShrinkResult(byte[] ManifestBytes, string ManifestHash, Manifest Manifest, IReadOnlyList<(int Number, long Before, long After)> Shrunk);

/// <summary>
/// Makes a smaller image from an image, for a smaller disk: each volume that must lose room is put together as a sparse file, shrunk there
/// by its file system's own resizer, and read again; what lies behind it moves forward. The image itself is only read. README.md tells more.
/// </summary>
/// <param name="folder">For the files; empty, or made. Its disk needs room for the used content of one volume at a time.</param>
public sealed class ShrinkEngine(Manifest image, IChunkSource source, IChunkSink sink, string folder)
{
    private const long Step = 1 << 20;

    /// <param name="diskBytes">Size of the disk the result must fit.</param>
    /// <param name="say">Hears what is being done.</param>
    /// <exception cref="FailureException"><c>shrinkNotNeeded</c>, <c>shrinkImpossible</c> with the numbers, <c>shrinkHibernated</c>, <c>shrinkFailed</c>, <c>toolMissing</c>, or what source and sink threw.</exception>
    public async Task<ShrinkResult> RunAsync(long diskBytes, Action<string> say, CancellationToken cancel)
    {
        diskBytes -= diskBytes % image.SectorSize;
        var excess = (Relayout.End(image) - Relayout.Limit(image, diskBytes) + Step - 1) / Step * Step;
        if (excess <= 0)
            throw new FailureException("shrinkNotNeeded", Fault.Image, $"The image fits a disk of {ByteText.Exact(diskBytes)} as it is.", "Deploy it without shrinking.");
        if (SuspendedSwap.In(image) is { } suspended)
            throw new FailureException("shrinkHibernated", Fault.Image, $"Volume {suspended} holds the memory of a suspended Linux, which would destroy a file system that was made smaller.",
                "Start the source machine, shut it down and capture it again, then order the smaller version.");
        var need = excess;
        var reasons = new List<string>();
        var shrunk = new Dictionary<int, ManifestVolume>();
        var changes = new Dictionary<int, long>();
        // The one with the most free room first: often it is enough.
        foreach (var index in Enumerable.Range(0, image.Volumes.Count).OrderByDescending(i => image.Volumes[i].Header.Partition.Length - image.Volumes[i].UsedBytes))
        {
            var header = image.Volumes[index].Header;
            if (Excluded(index) is { } reason)
            {
                reasons.Add($"volume {header.Partition.Number} ({ByteText.Of(header.Partition.Length)}): {reason}");
                continue;
            }
            var (volume, obstacle) = await ShrinkAsync(image.Volumes[index], need, say, cancel);
            if (volume is null)
            {
                reasons.Add($"volume {header.Partition.Number} ({ByteText.Of(header.Partition.Length)}): {obstacle}");
                continue;
            }
            shrunk[index] = volume;
            changes[header.Partition.Number] = volume.Header.Partition.Length - header.Partition.Length;
            need += changes[header.Partition.Number];
            if (need <= 0)
                break;
        }
        if (need > 0)
            throw new FailureException("shrinkImpossible", Fault.Image,
                $"The image needs {ByteText.Exact(DeployPlanner.NeededBytes(image))}, the disk has {ByteText.Exact(diskBytes)}, and the least it can be made to need is {ByteText.Exact(diskBytes + need)} ({string.Join("; ", reasons)}).",
                "Use a larger disk, or delete files on the source and capture again.");
        say("laying out the smaller disk");
        var manifest = await new SmallerImage(image, source, sink).MakeAsync(diskBytes, shrunk, changes, cancel);
        var bytes = ManifestWriter.Write(manifest);
        return new ShrinkResult(bytes, ManifestHash.Of(bytes), manifest,
            [.. shrunk.OrderBy(s => s.Key).Select(s => (image.Volumes[s.Key].Header.Partition.Number, image.Volumes[s.Key].Header.Partition.Length, s.Value.Header.Partition.Length))]);
    }

    /// <summary>Why a volume keeps its size, as the end of a sentence; null: it may lose room.</summary>
    private string? Excluded(int index)
    {
        var header = image.Volumes[index].Header;
        return Relayout.IsLogical(image, header.Partition) ? "logical partitions are not shrunk"
            : image.Volumes[index].Damaged.Count > 0 ? "parts of it could not be read"
            : VolumeShrinker.Obstacle(header.FileSystem) ?? Relayout.Obstacle(image, index);
    }

    /// <returns>The smaller volume with its chunks, or why there is none, as the end of a sentence.</returns>
    private async Task<(ManifestVolume? Volume, string? Obstacle)> ShrinkAsync(ManifestVolume volume, long need, Action<string> say, CancellationToken cancel)
    {
        var header = volume.Header;
        Directory.CreateDirectory(folder);
        var file = Path.Combine(folder, $"volume-{header.Partition.Number}");
        File.Delete(file);
        try
        {
            say($"putting volume {header.Partition.Number} together ({ByteText.Of(volume.UsedBytes)})");
            await MaterialiseAsync(volume, file, cancel);
            // A hibernated or interrupted system still has work for this file system; the resizers would throw that away and call it clean.
            if (await StateAsync(file, cancel) is var state and not VolumeState.Clean)
                return (null, $"it was not closed cleanly on the source ({state})");
            var shrinker = new VolumeShrinker(header.FileSystem, file);
            say($"checking volume {header.Partition.Number}");
            var minimum = await Task.Run(() => shrinker.MinimumBytes(cancel), cancel);
            var length = header.Partition.Length - Math.Min(need, (header.Partition.Length - minimum) / Step * Step);
            if (length >= header.Partition.Length)
                return (null, $"its file system needs {ByteText.Of(minimum)}");
            say($"shrinking volume {header.Partition.Number} from {ByteText.Of(header.Partition.Length)} to {ByteText.Of(length)}");
            await Task.Run(() => shrinker.Shrink(length, cancel), cancel);
            say($"reading volume {header.Partition.Number}");
            return (await ReadAsync(header, file, cancel), null);
        }
        finally
        {
            File.Delete(file);
        }
    }

    private Task<VolumeState> StateAsync(string file, CancellationToken cancel) => Task.Run(() =>
    {
        using var device = ImageFileDevice.OpenForReading(file, image.SectorSize);
        return VolumeProbe.Identify(device, 0, device.SizeBytes, cancel).State;
    }, cancel);

    private async Task MaterialiseAsync(ManifestVolume volume, string file, CancellationToken cancel)
    {
        var header = volume.Header;
        using var device = ImageFileDevice.Create(file, header.Partition.Length, image.SectorSize);
        var alone = new ManifestVolume(header with { Partition = header.Partition with { Offset = 0 } }, volume.Runs, volume.Maps, volume.Ids);
        var manifest = new Manifest(header.Partition.Length, image.SectorSize, null, PartitionScheme.None, null, [], [alone]);
        var plan = DeployPlanner.Plan(manifest, new string('0', 64), device.SizeBytes, image.SectorSize, null);
        await new DeployEngine(device, source, plan.Plan ?? throw new FailureException(plan.Failure!), new DeployOptions(ReadBack: false)).RunAsync(cancel);
    }

    /// <summary>Chunks keep their size and their offsets: those that did not change are shared with the image.</summary>
    private async Task<ManifestVolume> ReadAsync(VolumeHeader header, string file, CancellationToken cancel)
    {
        using var device = ImageFileDevice.OpenForReading(file, image.SectorSize);
        var captured = await new CaptureEngine(device, sink, new CaptureOptions(header.ChunkSize)).RunAsync(cancel);
        if (captured.Manifest.Volumes is not [var volume] || volume.Header.FileSystem != header.FileSystem)
            throw VolumeShrinker.Failed("the shrunk volume is not recognised any more", null);
        var note = $"Shrunk from {ByteText.Of(header.Partition.Length)} to {ByteText.Of(device.SizeBytes)}.";
        return new ManifestVolume(volume.Header with { Partition = header.Partition with { Length = device.SizeBytes }, Note = volume.Header.Note is { } more ? $"{note} {more}" : note },
            volume.Runs, volume.Maps, volume.Ids);
    }
}
