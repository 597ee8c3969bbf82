using ImageForge.Contracts;
using ImageForge.Imaging.Chunks;
using ImageForge.Imaging.Deploy;
using ImageForge.Imaging.Disks;
using ImageForge.Imaging.Manifests;
using ImageForge.Imaging.Tests.Doubles;

namespace ImageForge.Imaging.Tests.Deploy;

public sealed class DeployFaultTests : IDisposable
{
    private readonly SyntheticImage _image = SyntheticImage.Make(new Random(1));
    private readonly MemoryDisk _memory;
    private readonly FailingDevice _target;

    public DeployFaultTests()
    {
        _memory = DeployEngineTests.Filled(_image.Source.SizeBytes, 512, 0xE5);
        TestGpt.WriteTo(_memory, (1 << 20, 4 << 20));
        _target = new FailingDevice(_memory);
    }

    public void Dispose()
    {
        _target.Dispose();
        _memory.Dispose();
    }

    private async Task<Failure> FailAsync(IChunkSource? source = null, DeployOptions? options = null)
    {
        var engine = new DeployEngine(_target, source ?? new SourceOnly(_image.Store), DeployEngineTests.Plan(_image, _target), options ?? new DeployOptions());
        var failure = (await Assert.ThrowsAsync<FailureException>(() => engine.RunAsync(CancellationToken.None))).Failure;
        Assert.NotEmpty(failure.Cure);
        return failure;
    }

    /// <summary>A data chunk in the second volume, not its first, that occurs once.</summary>
    private (ManifestVolume Volume, ManifestChunk Chunk) Victim() =>
        (_image.Manifest.Volumes[1], _image.Manifest.Volumes[1].Chunks().Where(c => c.Kind == ChunkKind.Data).ElementAt(10));

    private void AssertCannotBoot()
    {
        Assert.Null(DiskCheck.Table(_memory));
        Assert.Null(DiskCheck.BootSector(_image.Manifest, _memory));
        Assert.NotNull(ResumeRecord.ReadFrom(_memory));
    }

    [Fact]
    public async Task A_chunk_the_source_knows_it_lacks_stops_the_deploy_before_the_first_write()
    {
        _image.Store.Frames.TryRemove(Victim().Chunk.Id, out _);
        var failure = await FailAsync(_image.Store);
        Assert.Equal(("chunkMissing", Fault.Image), (failure.Code, failure.Fault));
        Assert.Contains($"volume 2 (part 2) at byte {Victim().Chunk.VolumeOffset}", failure.Sentence, StringComparison.Ordinal);
        Assert.Equal(0, _target.Writes);
    }

    [Fact]
    public async Task A_chunk_that_turns_out_missing_names_volume_and_place()
    {
        var (_, chunk) = Victim();
        _image.Store.Frames.TryRemove(chunk.Id, out _);
        var failure = await FailAsync();
        Assert.Equal(("chunkMissing", Fault.Image), (failure.Code, failure.Fault));
        Assert.Contains($"{chunk.Id} for volume 2 (part 2) at byte {chunk.VolumeOffset}", failure.Sentence, StringComparison.Ordinal);
        AssertCannotBoot();
    }

    public static TheoryData<string> Damages => ["flipped", "truncated", "empty", "bomb", "other", "noise", "appended"];

    private static byte[] Damage(string kind, byte[] frame) => kind switch
    {
        "flipped" => [.. frame[..(frame.Length / 2)], (byte)(frame[frame.Length / 2] ^ 1), .. frame[(frame.Length / 2 + 1)..]],
        "truncated" => frame[..(frame.Length / 2)],
        "empty" => [],
        "bomb" => SyntheticImage.Frame(new byte[16 << 20]),
        "other" => SyntheticImage.Frame(new byte[64 << 10]),
        "noise" => [.. Enumerable.Range(0, 1000).Select(i => (byte)(i * 7))],
        _ => [.. frame, 0],
    };

    [Theory]
    [MemberData(nameof(Damages))]
    public async Task A_damaged_chunk_is_fetched_once_more_and_then_fails_unwritten(string kind)
    {
        var (volume, chunk) = Victim();
        var fetched = 0;
        _image.Store.Tamper = (id, _, frame) =>
        {
            if (id != chunk.Id)
                return frame;
            Interlocked.Increment(ref fetched);
            return Damage(kind, frame);
        };
        var at = volume.Header.Partition.Offset + chunk.VolumeOffset;
        var before = SyntheticImage.Read(_memory, at, chunk.Length);
        var failure = await FailAsync();
        Assert.Equal(("chunkCorrupt", Fault.Image), (failure.Code, failure.Fault));
        Assert.Contains($"{chunk.Id} for volume 2 (part 2) at byte {chunk.VolumeOffset}", failure.Sentence, StringComparison.Ordinal);
        Assert.Equal(2, fetched);
        Assert.Equal(before, SyntheticImage.Read(_memory, at, chunk.Length));
        AssertCannotBoot();
    }

    [Theory]
    [MemberData(nameof(Damages))]
    public async Task Damage_on_the_way_is_mended_by_fetching_again(string kind)
    {
        _image.Store.Tamper = (_, times, frame) => times == 0 ? Damage(kind, frame) : frame;
        var engine = new DeployEngine(_target, _image.Store, DeployEngineTests.Plan(_image, _target), new DeployOptions());
        await engine.RunAsync(CancellationToken.None);
        Assert.Null(DiskCheck.Difference(_image.Manifest, _image.Source, _memory));
    }

    [Theory]
    [InlineData(5, "diskMediumError")]
    [InlineData(19, "diskVanished")]
    [InlineData(28, "diskNoSpace")]
    public async Task A_refused_write_names_volume_and_place(int errno, string code)
    {
        var (volume, chunk) = Victim();
        var at = volume.Header.Partition.Offset + chunk.VolumeOffset;
        _target.WriteRule = (offset, length) => offset < at + chunk.Length && at < offset + length ? errno : 0;
        var failure = await FailAsync();
        Assert.Equal((code, Fault.Disk), (failure.Code, failure.Fault));
        Assert.Contains("volume 2 (part 2) at byte", failure.Sentence, StringComparison.Ordinal);
        AssertCannotBoot();
    }

    [Fact]
    public async Task A_disk_that_vanishes_at_any_moment_is_the_disks_fault()
    {
        async Task<int> RunAsync(int failFrom)
        {
            using var memory = DeployEngineTests.Filled(_image.Source.SizeBytes, 512, 0xE5);
            using var target = new FailingDevice(memory);
            var gone = false;
            int Rule() => gone ? 19 : 0;
            target.WriteRule = (_, _) =>
            {
                gone |= target.Writes == failFrom;
                return Rule();
            };
            (target.FlushRule, target.ReadRule) = (Rule, (_, _) => Rule());
            var engine = new DeployEngine(target, _image.Store, DeployEngineTests.Plan(_image, target), new DeployOptions());
            if (failFrom == 0)
            {
                await engine.RunAsync(CancellationToken.None);
            }
            else
            {
                var failure = (await Assert.ThrowsAsync<FailureException>(() => engine.RunAsync(CancellationToken.None))).Failure;
                Assert.Equal(("diskVanished", Fault.Disk), (failure.Code, failure.Fault));
            }
            return target.Writes;
        }
        var total = await RunAsync(0);
        for (var at = 1; at <= total; at += total / 12)
            await RunAsync(at);
        await RunAsync(total);
    }

    [Fact]
    public async Task A_failed_flush_is_not_a_success()
    {
        _target.FlushRule = () => _target.Writes > 40 ? 5 : 0;
        var failure = await FailAsync();
        Assert.Equal(("diskMediumError", Fault.Disk), (failure.Code, failure.Fault));
        AssertCannotBoot();
    }

    [Fact]
    public async Task A_disk_that_returns_something_else_than_was_written_is_found_out_by_reading_back()
    {
        var (volume, chunk) = Victim();
        UsedBits.Next(chunk.UsedBits.Span, volume.Header.BlockSize, chunk.Length, 0, out var start, out _);
        var at = volume.Header.Partition.Offset + chunk.VolumeOffset + start;
        _target.Lie = (offset, data) =>
        {
            if (offset <= at && at < offset + data.Length)
                data.Span[(int)(at - offset)] ^= 1;
        };
        var failure = await FailAsync();
        Assert.Equal(("readBackMismatch", Fault.Disk), (failure.Code, failure.Fault));
        Assert.Contains($"volume 2 (part 2) at byte {chunk.VolumeOffset}", failure.Sentence, StringComparison.Ordinal);
        AssertCannotBoot();

        // Whoever switches the check off is not told.
        await new DeployEngine(_target, _image.Store, DeployEngineTests.Plan(_image, _target), new DeployOptions(ReadBack: false)).RunAsync(CancellationToken.None);
    }

    [Fact]
    public async Task Lies_about_the_tables_are_found_out_too()
    {
        var last = _target.SizeBytes - 512;
        _target.Lie = (offset, data) =>
        {
            if (offset <= last && last < offset + data.Length)
                data.Span[^1] ^= 1;
        };
        Assert.Equal("readBackMismatch", (await FailAsync()).Code);
    }

    [Fact]
    public async Task Cancelling_stops_soon_and_leaves_a_disk_that_resumes()
    {
        using var stop = new CancellationTokenSource();
        _target.WriteRule = (_, _) =>
        {
            if (_target.Writes == 40)
                stop.Cancel();
            return 0;
        };
        var engine = new DeployEngine(_target, _image.Store, DeployEngineTests.Plan(_image, _target), new DeployOptions());
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => engine.RunAsync(stop.Token));
        // Each of the writers may have begun one more.
        Assert.InRange(_target.Writes, 40, 46);
        AssertCannotBoot();
        _target.WriteRule = (_, _) => 0;
        var progress = await DeployEngineTests.DeployAsync(_image, _target);
        Assert.True(progress.BytesKept > 0);
        Assert.Null(DiskCheck.Difference(_image.Manifest, _image.Source, _memory));
    }

    [Fact]
    public async Task What_the_source_gives_up_with_reaches_the_caller_unchanged()
    {
        var lost = new Failure("serverLost", Fault.Network, "The server did not answer for an hour.", "Check the network.");
        var failure = await FailAsync(new GivingUp(lost));
        Assert.Equal(lost, failure);
    }

    private sealed class GivingUp(Failure failure) : IChunkSource
    {
        public ValueTask<int> ReadFrameAsync(ChunkId id, Memory<byte> frame, CancellationToken cancel) => throw new FailureException(failure);
    }

    [Fact]
    public async Task A_bad_sector_met_while_comparing_is_written_again_and_not_a_failure()
    {
        await DeployEngineTests.DeployAsync(_image, _target);
        var (volume, chunk) = Victim();
        var at = volume.Header.Partition.Offset + chunk.VolumeOffset;
        var written = false;
        _target.ReadRule = (offset, length) => !written && offset < at + chunk.Length && at < offset + length ? 5 : 0;
        _target.WriteRule = (offset, length) =>
        {
            written |= offset < at + chunk.Length && at < offset + length;
            return 0;
        };
        await DeployEngineTests.DeployAsync(_image, _target, new DeployOptions(Compare: CompareWith.AnyDisk));
        Assert.True(written);
        Assert.Null(DiskCheck.Difference(_image.Manifest, _image.Source, _memory));
    }
}
