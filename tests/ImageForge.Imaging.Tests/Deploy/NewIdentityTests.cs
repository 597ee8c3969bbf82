using ImageForge.Imaging.Deploy;
using ImageForge.Imaging.Disks;
using ImageForge.Imaging.Manifests;
using ImageForge.Imaging.Tests.Doubles;

namespace ImageForge.Imaging.Tests.Deploy;

public sealed class NewIdentityTests
{
    [Fact]
    public async Task Every_guid_of_a_gpt_is_new_and_everything_else_is_the_images()
    {
        var image = SyntheticImage.Make(new Random(11));
        using var target = DeployEngineTests.Filled(image.Source.SizeBytes, 512, 0xFF);
        await DeployAsync(NewIdentity.Of(image.Manifest), image, target);

        Assert.Null(DiskCheck.Difference(image.Manifest, image.Source, target));
        var (was, now) = (Layout(image.Source), Layout(target));
        Assert.Empty(now.Notes);
        Assert.NotEqual(was.Gpt!.DiskGuid, now.Gpt!.DiskGuid);
        Assert.Empty(was.Partitions.Select(p => p.UniqueId).Intersect(now.Partitions.Select(p => p.UniqueId)));
        Assert.Equal(now.Partitions.Count, now.Partitions.Select(p => p.UniqueId).Distinct().Count());
        Assert.Equal(was.Partitions.Select(p => p with { UniqueId = null }), now.Partitions.Select(p => p with { UniqueId = null }));
    }

    [Fact]
    public async Task Two_deploys_of_one_image_differ()
    {
        var image = SyntheticImage.Make(new Random(12));
        var seen = new HashSet<string?>();
        for (var i = 0; i < 2; i++)
        {
            using var target = DeployEngineTests.Filled(image.Source.SizeBytes, 512, 0);
            await DeployAsync(NewIdentity.Of(image.Manifest), image, target);
            Assert.All(Layout(target).Partitions, p => Assert.True(seen.Add(p.UniqueId)));
        }
    }

    [Fact]
    public async Task The_signature_of_an_mbr_is_new_and_boot_code_and_partitions_stay()
    {
        var image = SyntheticImage.Make(new Random(13), scheme: PartitionScheme.Mbr);
        using var target = DeployEngineTests.Filled(image.Source.SizeBytes, 512, 0xFF);
        await DeployAsync(NewIdentity.Of(image.Manifest), image, target);

        var (was, now) = (SyntheticImage.Read(image.Source, 0, 512), SyntheticImage.Read(target, 0, 512));
        Assert.NotEqual(was[440..444], now[440..444]);
        Assert.Equal(was[..440], now[..440]);
        Assert.Equal(was[444..], now[444..]);
        Assert.Null(DiskCheck.Difference(image.Manifest, image.Source, target));
    }

    [Fact]
    public void A_disk_without_a_signature_gets_none()
    {
        var image = SyntheticImage.Make(new Random(14), scheme: PartitionScheme.Mbr);
        var sector = image.Manifest.Regions[0].Bytes.ToArray();
        sector.AsSpan(440, 4).Clear();
        var unsigned = image.Manifest with { Regions = [image.Manifest.Regions[0] with { Bytes = sector }, .. image.Manifest.Regions.Skip(1)] };

        Assert.Equal(sector, NewIdentity.Of(unsigned).Regions[0].Bytes.ToArray());
    }

    private static async Task DeployAsync(Manifest manifest, SyntheticImage image, MemoryDisk target)
    {
        var plan = DeployPlanner.Plan(manifest, image.Hash, target.SizeBytes, target.SectorSize, null).Plan!;
        await new DeployEngine(target, image.Store, plan, new DeployOptions()).RunAsync(CancellationToken.None);
    }

    private static DiskLayout Layout(IBlockDevice disk) => Assert.IsType<PartitionTableReading.Found>(PartitionTables.Read(disk)).Layout;
}
