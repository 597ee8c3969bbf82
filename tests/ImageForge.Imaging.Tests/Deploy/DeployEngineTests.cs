using ImageForge.Contracts;
using ImageForge.Imaging.Deploy;
using ImageForge.Imaging.Disks;
using ImageForge.Imaging.Manifests;
using ImageForge.Imaging.Tests.Doubles;

namespace ImageForge.Imaging.Tests.Deploy;

public sealed class DeployEngineTests
{
    internal static WritePlan Plan(SyntheticImage image, IBlockDevice target)
    {
        var outcome = DeployPlanner.Plan(image.Manifest, image.Hash, target.SizeBytes, target.SectorSize, ResumeRecord.ReadFrom(target));
        Assert.True(outcome.IsPlanned, outcome.Failure?.Sentence);
        return outcome.Plan;
    }

    internal static async Task<DeployProgress> DeployAsync(SyntheticImage image, IBlockDevice target, DeployOptions? options = null)
    {
        var engine = new DeployEngine(target, image.Store, Plan(image, target), options ?? new DeployOptions());
        await engine.RunAsync(CancellationToken.None);
        return engine.Progress;
    }

    internal static MemoryDisk Filled(long size, int sectorSize, byte value)
    {
        var disk = new MemoryDisk(size, sectorSize);
        var page = new byte[1 << 20];
        page.AsSpan().Fill(value);
        for (long at = 0; at < size; at += page.Length)
            disk.Write(at, page.AsSpan(0, (int)Math.Min(page.Length, size - at)));
        return disk;
    }

    [Theory]
    [InlineData(512, 64 << 10, PartitionScheme.Gpt, 0)]
    [InlineData(512, 64 << 10, PartitionScheme.Gpt, 0xFF)]
    [InlineData(512, 256 << 10, PartitionScheme.Gpt, 0xFF)]
    [InlineData(512, 1 << 20, PartitionScheme.Gpt, 0xFF)]
    [InlineData(512, 4 << 20, PartitionScheme.Gpt, 0xFF)]
    [InlineData(512, 16 << 20, PartitionScheme.Gpt, 0xFF)]
    [InlineData(4096, 64 << 10, PartitionScheme.Gpt, 0xFF)]
    [InlineData(4096, 1 << 20, PartitionScheme.Gpt, 0)]
    [InlineData(512, 64 << 10, PartitionScheme.Mbr, 0xFF)]
    [InlineData(512, 64 << 10, PartitionScheme.None, 0xFF)]
    [InlineData(4096, 128 << 10, PartitionScheme.None, 0xFF)]
    public async Task Puts_every_used_block_and_the_tables_on_the_disk(int sectorSize, int chunkSize, PartitionScheme scheme, byte before)
    {
        var image = SyntheticImage.Make(new Random(chunkSize + sectorSize), sectorSize, chunkSize, scheme: scheme);
        using var target = Filled(image.Source.SizeBytes, sectorSize, before);
        var progress = await DeployAsync(image, target);
        Assert.Null(DiskCheck.Difference(image.Manifest, image.Source, target));
        Assert.Null(DiskCheck.TableDifference(image.Manifest, target));
        Assert.Null(ResumeRecord.ReadFrom(target));
        Assert.Equal(image.Manifest.UsedBytes, progress.BytesWritten);
        Assert.Equal(0, progress.BytesCompared);
    }

    [Fact]
    public async Task Moves_the_backup_table_to_the_end_of_a_larger_disk()
    {
        var image = SyntheticImage.Make(new Random(1));
        using var target = Filled(image.Source.SizeBytes + (5 << 20), 512, 0xFF);
        await DeployAsync(image, target);
        Assert.Null(DiskCheck.Difference(image.Manifest, image.Source, target));
        var layout = Assert.IsType<PartitionTableReading.Found>(PartitionTables.Read(target)).Layout;
        Assert.Empty(layout.Notes);
        Assert.Equal(image.Manifest.Volumes.Select(v => v.Header.Partition.Offset), layout.Partitions.Select(p => p.Offset));
        Assert.Equal(target.SizeBytes / 512 - 1, layout.Gpt!.BackupHeaderLba);
    }

    [Fact]
    public async Task Fits_a_disk_that_is_smaller_but_large_enough_for_the_volumes()
    {
        var image = SyntheticImage.Make(new Random(2));
        using var target = Filled(GptWriter.MinimumDiskBytes(image.Manifest.Gpt!), 512, 0xFF);
        Assert.True(target.SizeBytes < image.Source.SizeBytes);
        await DeployAsync(image, target);
        Assert.Null(DiskCheck.Difference(image.Manifest, image.Source, target));
        Assert.Empty(Assert.IsType<PartitionTableReading.Found>(PartitionTables.Read(target)).Layout.Notes);
    }

    [Fact]
    public async Task Leaves_unused_chunks_as_they_are()
    {
        var image = SyntheticImage.Make(new Random(3));
        using var target = Filled(image.Source.SizeBytes, 512, 0xFF);
        await DeployAsync(image, target);
        var checkedChunks = 0;
        foreach (var volume in image.Manifest.Volumes)
            foreach (var chunk in volume.Chunks().Where(c => c.Kind == ChunkKind.Unused))
            {
                checkedChunks++;
                Assert.False(SyntheticImage.Read(target, volume.Header.Partition.Offset + chunk.VolumeOffset, chunk.Length).AsSpan().ContainsAnyExcept((byte)0xFF));
            }
        Assert.True(checkedChunks > 0, "the image has no unused chunk");
    }

    [Fact]
    public async Task Fetches_next_to_nothing_when_the_disk_already_holds_the_image_and_comparison_is_asked_for()
    {
        var image = SyntheticImage.Make(new Random(4));
        using var target = Filled(image.Source.SizeBytes, 512, 0xFF);
        await DeployAsync(image, target);
        var again = await DeployAsync(image, target, new DeployOptions(Compare: CompareWith.AnyDisk));
        Assert.Null(DiskCheck.Difference(image.Manifest, image.Source, target));
        Assert.True(again.BytesWritten <= 3 * (64 << 10), $"{again.BytesWritten} bytes were written again");
        Assert.Equal(image.Manifest.UsedBytes, again.BytesWritten + again.BytesKept);
    }

    [Fact]
    public async Task Reports_the_phases_and_ends_with_all_bytes_done()
    {
        var image = SyntheticImage.Make(new Random(5));
        using var memory = Filled(image.Source.SizeBytes, 512, 0);
        var phases = new HashSet<DeployPhase>();
        using var target = new FailingDevice(memory);
        var engine = new DeployEngine(target, image.Store, Plan(image, target), new DeployOptions());
        target.WriteRule = (_, _) =>
        {
            phases.Add(engine.Progress.Phase);
            return 0;
        };
        target.ReadRule = target.WriteRule;
        await engine.RunAsync(CancellationToken.None);
        Assert.Equal([DeployPhase.Preparing, DeployPhase.Transferring, DeployPhase.Verifying, DeployPhase.Finishing], phases.Order());
    }

    [Fact]
    public async Task Refuses_a_disk_the_plan_was_not_made_for()
    {
        var image = SyntheticImage.Make(new Random(6));
        using var planned = new MemoryDisk(image.Source.SizeBytes);
        using var other = new FailingDevice(new MemoryDisk(image.Source.SizeBytes + 512));
        var engine = new DeployEngine(other, image.Store, Plan(image, planned), new DeployOptions());
        await Assert.ThrowsAsync<InvalidOperationException>(() => engine.RunAsync(CancellationToken.None));
        Assert.Equal(0, other.Writes);
    }
}
