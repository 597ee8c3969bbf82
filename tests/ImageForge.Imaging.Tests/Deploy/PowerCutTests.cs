using ImageForge.Contracts;
using ImageForge.Imaging.Deploy;
using ImageForge.Imaging.Disks;
using ImageForge.Imaging.FileSystems;
using ImageForge.Imaging.Manifests;
using ImageForge.Imaging.Tests.Doubles;
using Xunit.Abstractions;

namespace ImageForge.Imaging.Tests.Deploy;

public sealed class PowerCutTests(ITestOutputHelper output)
{
    private const int Gap = 1 << 20;

    /// <summary>One writer: the operations are counted, and must be the same in every run.</summary>
    private static readonly DeployOptions s_options = new(HostTaskId: 7, FlushEveryBytes: 512 << 10) { WritesInFlight = 1 };

    /// <summary>A disk that boots something else today.</summary>
    internal static MemoryDisk OldDisk(long size, int sectorSize)
    {
        var disk = DeployEngineTests.Filled(size, sectorSize, 0xE5);
        TestGpt.WriteTo(disk, (1 << 20, 4 << 20), (6 << 20, 2 << 20));
        SyntheticImage.WriteDiscRecords(disk);
        return disk;
    }

    internal static MemoryDisk Copy(MemoryDisk disk)
    {
        var copy = new MemoryDisk(disk.SizeBytes, disk.SectorSize);
        for (long at = 0; at < disk.SizeBytes; at += 1 << 20)
            copy.Write(at, SyntheticImage.Read(disk, at, Math.Min(1 << 20, disk.SizeBytes - at)));
        return copy;
    }

    [Theory]
    [InlineData(512, PartitionScheme.Gpt, 1)]
    [InlineData(512, PartitionScheme.Gpt, 2)]
    [InlineData(4096, PartitionScheme.Gpt, 3)]
    [InlineData(512, PartitionScheme.Mbr, 4)]
    [InlineData(512, PartitionScheme.None, 5)]
    [InlineData(512, PartitionScheme.Mbr, 6, true)]
    [InlineData(512, PartitionScheme.None, 7, true)]
    [InlineData(4096, PartitionScheme.None, 8, true)]
    [InlineData(512, PartitionScheme.None, 9, false, FileSystemKind.Btrfs)]
    [InlineData(512, PartitionScheme.Gpt, 10, false, FileSystemKind.F2fs)]
    public async Task A_cut_at_any_moment_leaves_nothing_to_boot_and_the_next_run_finishes_with_less_to_fetch(
        int sectorSize, PartitionScheme scheme, int seed, bool disc = false, FileSystemKind fileSystem = FileSystemKind.Unknown)
    {
        output.WriteLine($"seed {seed}");
        var random = new Random(seed);
        var image = SyntheticImage.Make(random, sectorSize, scheme: scheme, disc: disc, fileSystem: fileSystem);
        using var old = OldDisk(image.Source.SizeBytes, sectorSize);

        using var whole = new PowerCutDevice(Copy(old), random);
        var fromZero = await DeployEngineTests.DeployAsync(image, whole, s_options);
        var savedRuns = 0;
        for (var run = 0; run < 20; run++)
        {
            using var medium = Copy(old);
            using var cut = new PowerCutDevice(medium, random) { CutAt = random.Next(1, whole.Operations + 1) };
            var failure = await Assert.ThrowsAsync<FailureException>(() => DeployEngineTests.DeployAsync(image, cut, s_options));
            Assert.Equal(Fault.Disk, failure.Failure.Fault);

            AssertCannotBoot(image, old, medium, $"seed {seed}, cut {cut.CutAt} of {whole.Operations}");
            // The last write of all replaces the record: a cut right after it leaves a finished disk, which is recognised as such.
            var resumes = ResumeRecord.ReadFrom(medium) is not null || DiskCheck.TableDifference(image.Manifest, medium) is null;
            using var next = new PowerCutDevice(medium, random);
            var progress = await DeployEngineTests.DeployAsync(image, next, s_options);
            Assert.Null(DiskCheck.Difference(image.Manifest, image.Source, medium));
            Assert.Null(DiskCheck.TableDifference(image.Manifest, medium));
            Assert.Null(ResumeRecord.ReadFrom(medium));
            Assert.True(progress.BytesFetched <= fromZero.BytesFetched);
            if (progress.BytesKept > 0)
            {
                Assert.True(resumes, "something was compared on a disk without a record");
                Assert.True(progress.BytesFetched < fromZero.BytesFetched || progress.BytesKept < 1 << 20);
                savedRuns++;
            }
        }
        output.WriteLine($"{savedRuns} of 20 runs kept something; {whole.Operations} operations");
        Assert.True(savedRuns >= 5, $"only {savedRuns} of 20 resumed runs kept anything");
    }

    [Fact]
    public async Task Every_single_operation_of_the_last_phase_may_be_the_one_that_is_cut()
    {
        var random = new Random(11);
        var image = SyntheticImage.Make(random);
        using var old = OldDisk(image.Source.SizeBytes, 512);
        using var whole = new PowerCutDevice(Copy(old), random);
        await DeployEngineTests.DeployAsync(image, whole, s_options);
        for (var last = 0; last < 16; last++)
        {
            using var medium = Copy(old);
            using var cut = new PowerCutDevice(medium, random) { CutAt = whole.Operations - last };
            await Assert.ThrowsAsync<FailureException>(() => DeployEngineTests.DeployAsync(image, cut, s_options));
            AssertCannotBoot(image, old, medium, $"operation {last} from the end");
            // Sector 1 is the last to change: until then the record is there, afterwards the deploy is complete.
            Assert.True(ResumeRecord.ReadFrom(medium) is not null || DiskCheck.TableDifference(image.Manifest, medium) is null, $"operation {last} from the end");
            await DeployEngineTests.DeployAsync(image, medium, s_options);
            Assert.Null(DiskCheck.Difference(image.Manifest, image.Source, medium));
            Assert.Null(DiskCheck.TableDifference(image.Manifest, medium));
        }
    }

    [Fact]
    public async Task Cuts_during_resumed_runs_add_up_to_a_finished_disk()
    {
        var random = new Random(12);
        var image = SyntheticImage.Make(random);
        using var old = OldDisk(image.Source.SizeBytes, 512);
        using var medium = Copy(old);
        var runs = 0;
        while (true)
        {
            using var cut = new PowerCutDevice(medium, random) { CutAt = random.Next(10, 40) };
            try
            {
                await DeployEngineTests.DeployAsync(image, cut, s_options with { ReadBack = false });
                break;
            }
            catch (FailureException)
            {
                Assert.True(++runs < 100, "no progress over a hundred cuts");
                AssertCannotBoot(image, old, medium, $"cut {runs}");
            }
        }
        output.WriteLine($"{runs} cuts");
        Assert.True(runs > 2);
        Assert.Null(DiskCheck.Difference(image.Manifest, image.Source, medium));
        Assert.Null(DiskCheck.TableDifference(image.Manifest, medium));
    }

    [Theory]
    [InlineData(512, PartitionScheme.Gpt, 21)]
    [InlineData(4096, PartitionScheme.Gpt, 22)]
    [InlineData(512, PartitionScheme.Mbr, 23)]
    [InlineData(512, PartitionScheme.None, 24)]
    public async Task A_cut_while_an_older_version_is_updated_leaves_nothing_to_boot_and_most_of_it_is_kept(int sectorSize, PartitionScheme scheme, int seed)
    {
        var options = s_options with { WritesInFlight = 3 };
        var random = new Random(seed);
        var version1 = SyntheticImage.Make(random, sectorSize, scheme: scheme);
        var version2 = version1.Changed(random, share: 0.1);
        using var old = new MemoryDisk(version1.Source.SizeBytes, sectorSize);
        await DeployEngineTests.DeployAsync(version1, old, options);
        using var whole = new PowerCutDevice(Copy(old), random);
        var update = await DeployEngineTests.DeployAsync(version2, whole, options);
        Assert.True(update.BytesKept > 2 * update.BytesWritten, $"kept {update.BytesKept}, written {update.BytesWritten}");
        for (var run = 0; run < 25; run++)
        {
            using var medium = Copy(old);
            using var cut = new PowerCutDevice(medium, random) { CutAt = random.Next(1, whole.Operations + 1) };
            var failure = await Record.ExceptionAsync(() => DeployEngineTests.DeployAsync(version2, cut, options));
            // Writers race for the flushes: the last operations of one run may not exist in the next.
            if (failure is not null)
                AssertCannotBoot(version2, old, medium, $"seed {seed}, cut {cut.CutAt} of {whole.Operations}");
            var progress = await DeployEngineTests.DeployAsync(version2, medium, options);
            Assert.Null(DiskCheck.Difference(version2.Manifest, version2.Source, medium));
            Assert.Null(DiskCheck.TableDifference(version2.Manifest, medium));
            Assert.Null(ResumeRecord.ReadFrom(medium));
            Assert.True(progress.BytesKept > progress.BytesWritten, $"run {run}: kept {progress.BytesKept}, written {progress.BytesWritten}");
        }
    }

    [Fact]
    public async Task Another_image_does_not_resume_on_the_record_of_the_first()
    {
        var random = new Random(13);
        var first = SyntheticImage.Make(random);
        var second = SyntheticImage.Make(random);
        using var medium = OldDisk(first.Source.SizeBytes, 512);
        using var cut = new PowerCutDevice(medium, random) { CutAt = 60 };
        await Assert.ThrowsAsync<FailureException>(() => DeployEngineTests.DeployAsync(first, cut, s_options));
        Assert.NotNull(ResumeRecord.ReadFrom(medium));
        Assert.False(DeployEngineTests.Plan(second, medium).Resuming);
        var progress = await DeployEngineTests.DeployAsync(second, medium);
        Assert.Equal(0, progress.BytesCompared);
        Assert.Null(DiskCheck.Difference(second.Manifest, second.Source, medium));
    }

    /// <summary>
    /// Until the first flush the old disk may still be whole. A boot sector means that the rest of all volumes is complete; a
    /// table, that everything is.
    /// </summary>
    internal static void AssertCannotBoot(SyntheticImage image, MemoryDisk old, MemoryDisk medium, string when)
    {
        if (DiskCheck.Table(medium) is { } table && DiskCheck.Difference(image.Manifest, image.Source, medium) is { } missing)
            Assert.True(IsUntouched(image, old, medium), $"{when}: {table} on a half-written disk ({missing})");
        if (DiskCheck.DiscRecord(medium) is { } record && DiskCheck.Difference(image.Manifest, image.Source, medium, exceptHeads: true) is { } lacking)
            Assert.True(IsUntouched(image, old, medium), $"{when}: {record} on a half-written disk ({lacking})");
        if (DiskCheck.BootSector(image.Manifest, medium) is { } sector && DiskCheck.Difference(image.Manifest, image.Source, medium, exceptHeads: true) is { } different)
            Assert.True(IsUntouched(image, old, medium), $"{when}: {sector} on a half-written disk ({different})");
    }

    /// <summary>The old content, apart from sectors of the first MiB that are zero by now.</summary>
    private static bool IsUntouched(SyntheticImage image, MemoryDisk old, MemoryDisk medium)
    {
        for (var at = 0; at < Gap; at += old.SectorSize)
        {
            var now = SyntheticImage.Read(medium, at, old.SectorSize).AsSpan();
            // The record may reach the disk before the heads are gone: both follow the same flush.
            if (at == old.SectorSize && ResumeRecord.Parse(now) is not null)
                continue;
            if (now.ContainsAnyExcept((byte)0) && !now.SequenceEqual(SyntheticImage.Read(old, at, old.SectorSize)))
                return false;
        }
        foreach (var volume in image.Manifest.Volumes)
        {
            var (start, end) = (Math.Max(Gap, volume.Header.Partition.Offset + DiskCheck.HeadBytes(volume, old)), Math.Min(volume.Header.Partition.End, old.SizeBytes - 40 * old.SectorSize));
            for (var at = start; at < end; at += 1 << 20)
            {
                var length = Math.Min(1 << 20, end - at);
                if (!SyntheticImage.Read(old, at, length).AsSpan().SequenceEqual(SyntheticImage.Read(medium, at, length)))
                    return false;
            }
        }
        return true;
    }
}
