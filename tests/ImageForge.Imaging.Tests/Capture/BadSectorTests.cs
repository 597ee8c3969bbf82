using ImageForge.Contracts;
using ImageForge.Imaging.Capture;
using ImageForge.Imaging.Deploy;
using ImageForge.Imaging.Disks;
using ImageForge.Imaging.FileSystems;
using ImageForge.Imaging.Manifests;
using ImageForge.Imaging.Tests.Doubles;
using ImageForge.Imaging.Tests.FileSystems;
using ImageForge.Imaging.Tests.Manifests;

namespace ImageForge.Imaging.Tests.Capture;

/// <summary>Disks that cannot read some of their sectors. The same with a real kernel's dm-error is in EndToEnd.</summary>
public sealed class BadSectorTests
{
    private const int MiB = 1 << 20, Eio = 5;

    private static readonly CaptureOptions s_options = new(64 << 10, Level: 1);

    [Fact]
    public async Task A_capture_that_fails_names_every_bad_sector_it_found()
    {
        using var disk = Disk();
        using var bad = Bad(disk, (3 * MiB, 512), (3 * MiB + 4096, 8 * 512), (7 * MiB, 512));
        var failure = await FailAsync(bad, s_options);
        Assert.Equal(("diskMediumError", Fault.Disk), (failure.Code, failure.Fault));
        Assert.Equal("10 used sectors of /dev/failing cannot be read (volume 1: 6144, 6152 to 6159, 14336).", failure.Sentence);
        Assert.Contains("allow read errors", failure.Cure, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_search_for_more_stops_after_some_ranges()
    {
        using var disk = Disk();
        using var bad = Bad(disk, [.. Enumerable.Range(0, 500).Select(i => (2L * MiB + i * 2048, 512L))]);
        var failure = await FailAsync(bad, s_options);
        Assert.StartsWith("At least 32 used sectors of /dev/failing cannot be read (volume 1: 4096, 4100, ", failure.Sentence, StringComparison.Ordinal);
        Assert.Contains("and 20 more ranges", failure.Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_search_for_more_stops_after_half_a_minute()
    {
        using var disk = Disk();
        var clock = new SlowDiskClock();
        // A disk that tries for seven seconds before it gives up on a sector.
        using var bad = new FailingDevice(new ReadOnlyDisk(disk))
        {
            ReadRule = (offset, length) =>
            {
                if (offset + length <= 2 * MiB || offset >= 4 * MiB)
                    return 0;
                clock.Advance(TimeSpan.FromSeconds(7));
                return Eio;
            },
        };
        var failure = await FailAsync(bad, s_options with { Time = clock });
        Assert.Matches("^At least [1-9] used sectors? ", failure.Sentence);
        // Each of the readers may be in the middle of a chunk.
        Assert.InRange(clock.Elapsed, TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(150));
    }

    [Theory]
    [InlineData(512)]
    [InlineData(4096)]
    public async Task A_capture_that_allows_them_lists_them_and_keeps_everything_else(int sectorSize)
    {
        using var disk = Disk(sectorSize);
        // The last sector of one chunk and the first of the next: one range; and the last of the volume.
        (long, long)[] places = [(3 * MiB - sectorSize, 2 * sectorSize), (5 * MiB, sectorSize), (9 * MiB - sectorSize, sectorSize)];
        using var bad = Bad(disk, places);
        var store = new MemoryChunkStore();
        var result = await new CaptureEngine(bad, store, s_options with { AllowReadErrors = true }).RunAsync(CancellationToken.None);
        var manifest = ManifestTests.Parse(result.ManifestBytes);
        Assert.Equal(places.Select(p => new DamagedRange(p.Item1 - MiB, p.Item2)), manifest.Volumes[0].Damaged);
        Assert.Equal(4L * sectorSize, manifest.DamagedBytes);
        var note = Assert.Single(manifest.DamageNotes());
        Assert.StartsWith($"Volume 1 is damaged: {4 * sectorSize} bytes in use could not be read", note, StringComparison.Ordinal);
        Assert.Contains($"sectors {3 * MiB / sectorSize - 1} to {3 * MiB / sectorSize}, {5 * MiB / sectorSize}, ", note, StringComparison.Ordinal);

        using var target = new MemoryDisk(disk.SizeBytes, sectorSize);
        Fill(target, 0xFF);
        await DeployAsync(manifest, result.ManifestHash, store, target);
        var (expected, actual) = (SyntheticImage.Read(disk, 0, disk.SizeBytes), SyntheticImage.Read(target, 0, disk.SizeBytes));
        foreach (var (at, length) in places)
            expected.AsSpan((int)at, (int)length).Clear();
        Assert.True(expected.AsSpan(MiB, 8 * MiB).SequenceEqual(actual.AsSpan(MiB, 8 * MiB)), $"byte {expected.AsSpan(MiB).CommonPrefixLength(actual.AsSpan(MiB))} of the volume");
    }

    [Fact]
    public async Task A_sector_that_reads_when_asked_again_is_not_damaged()
    {
        using var disk = Disk();
        var asked = 0;
        using var recovering = new FailingDevice(new ReadOnlyDisk(disk)) { ReadRule = (offset, length) => offset <= 4 * MiB && offset + length > 4 * MiB && length > 512 && asked++ < 100 ? Eio : 0 };
        using var sound = new FailingDevice(new ReadOnlyDisk(disk));
        var result = await new CaptureEngine(recovering, new MemoryChunkStore(), s_options).RunAsync(CancellationToken.None);
        Assert.True(asked > 1, "the bad sector was never read");
        Assert.Equal((await new CaptureEngine(sound, new MemoryChunkStore(), s_options).RunAsync(CancellationToken.None)).ManifestHash, result.ManifestHash);
    }

    [Fact]
    public async Task A_disk_that_falls_apart_is_refused_even_where_errors_are_allowed()
    {
        using var disk = Disk();
        using var bad = Bad(disk, [.. Enumerable.Range(0, 5000).Select(i => (2L * MiB + i * 1024, 512L))]);
        var failure = await FailAsync(bad, s_options with { AllowReadErrors = true });
        Assert.StartsWith("At least 4097 used sectors", failure.Sentence, StringComparison.Ordinal);
        Assert.Contains("ddrescue", failure.Cure, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_volume_whose_own_tables_cannot_be_read_is_taken_whole_if_allowed(bool allowed)
    {
        using var volume = MadeVolume.Ext("ext4", 16 * MiB, "-b 1024", files: 5);
        using var disk = new MemoryDisk(18 * MiB);
        TestGpt.WriteTo(disk, (MiB, 16 * MiB));
        disk.Write(MiB, volume.ReadAll());
        using var bad = Bad(disk, (MiB + 2048, 512));
        if (!allowed)
        {
            Assert.Contains("cannot read the tables of volume 1's file system", (await FailAsync(bad, s_options)).Sentence, StringComparison.Ordinal);
            return;
        }
        var result = await new CaptureEngine(bad, new MemoryChunkStore(), s_options with { AllowReadErrors = true }).RunAsync(CancellationToken.None);
        var taken = result.Manifest.Volumes[0];
        Assert.Equal((FileSystemKind.Unknown, 16 * MiB, 1), (taken.Header.FileSystem, taken.UsedBytes, taken.Damaged.Count));
        Assert.Equal(new DamagedRange(2048, 512), taken.Damaged[0]);
        Assert.Contains("taken with every block", taken.Header.Note, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_bad_sector_where_only_leftovers_are_looked_for_does_no_harm()
    {
        using var volume = MadeVolume.Ext("ext4", 64 * MiB, "-b 4096", files: 5);
        using var disk = new MemoryDisk(66 * MiB);
        TestGpt.WriteTo(disk, (MiB, 64 * MiB));
        disk.Write(MiB, volume.ReadAll());
        var used = volume.Identify();
        // Where mdraid 1.0 and 0.90 keep their superblocks: free here.
        Assert.False(used.Used[used.Used.BlockCount - 1] || used.Used[used.Used.BlockCount - 16]);
        using var bad = Bad(disk, (65 * MiB - 65536, 65536));
        var result = await new CaptureEngine(bad, new MemoryChunkStore(), s_options).RunAsync(CancellationToken.None);
        Assert.Equal((FileSystemKind.Ext4, 0), (result.Manifest.Volumes[0].Header.FileSystem, result.Manifest.DamagedBytes));
    }

    [Fact]
    public void Bad_sectors_where_signatures_are_looked_for_do_not_hide_the_one_that_is_there()
    {
        using var disk = new MemoryDisk(4 * MiB);
        disk.Write(0, [.. "hsqs"u8, .. new byte[508]]);
        using var bad = Bad(disk, (4096, 512), (32768, 512));
        Assert.Contains("SquashFS", VolumeProbe.Identify(bad, 0, 4 * MiB, CancellationToken.None).Note, StringComparison.Ordinal);
    }

    private static async Task<Failure> FailAsync(IBlockDevice disk, CaptureOptions options) =>
        (await Assert.ThrowsAsync<FailureException>(() => new CaptureEngine(disk, new MemoryChunkStore(), options).RunAsync(CancellationToken.None))).Failure;

    private static async Task DeployAsync(Manifest manifest, string hash, MemoryChunkStore store, MemoryDisk target)
    {
        var plan = DeployPlanner.Plan(manifest, hash, target.SizeBytes, target.SectorSize, null).Plan!;
        await new DeployEngine(target, store, plan, new DeployOptions()).RunAsync(CancellationToken.None);
    }

    /// <summary>One partition of 8 MiB at 1 MiB, of no known file system: every block counts.</summary>
    private static MemoryDisk Disk(int sectorSize = 512)
    {
        var disk = new MemoryDisk(10 * MiB, sectorSize);
        TestGpt.WriteTo(disk, (MiB, 8 * MiB));
        var content = new byte[8 * MiB];
        new Random(11).NextBytes(content);
        disk.Write(MiB, content);
        return disk;
    }

    private static void Fill(MemoryDisk disk, byte value) => disk.Write(0, Enumerable.Repeat(value, (int)disk.SizeBytes).ToArray());

    private static FailingDevice Bad(IBlockDevice disk, params (long At, long Length)[] places) => new(new ReadOnlyDisk(disk))
    {
        ReadRule = (offset, length) => places.Any(p => offset < p.At + p.Length && offset + length > p.At) ? Eio : 0,
    };

    private sealed class SlowDiskClock : TimeProvider
    {
        private long _ticks;

        public TimeSpan Elapsed => new(_ticks);

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Interlocked.Read(ref _ticks);

        public void Advance(TimeSpan time) => Interlocked.Add(ref _ticks, time.Ticks);
    }
}
