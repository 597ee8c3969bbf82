using ImageForge.Contracts;
using ImageForge.Imaging.Deploy;
using ImageForge.Imaging.Disks;
using ImageForge.Imaging.Tests.Doubles;

namespace ImageForge.Imaging.Tests.Deploy;

public sealed class DeployPlannerTests
{
    private readonly SyntheticImage _image = SyntheticImage.Make(new Random(1));

    [Fact]
    public void A_disk_too_small_is_refused_with_both_numbers()
    {
        var needed = GptWriter.MinimumDiskBytes(_image.Manifest.Gpt!);
        var refused = DeployPlanner.Plan(_image.Manifest, _image.Hash, needed - 512, 512, null);
        Assert.False(refused.IsPlanned);
        Assert.Equal(("diskTooSmall", Fault.Disk), (refused.Failure.Code, refused.Failure.Fault));
        Assert.Contains($"{needed:N0} bytes", refused.Failure.Sentence, StringComparison.Ordinal);
        Assert.Contains($"{needed - 512:N0} bytes", refused.Failure.Sentence, StringComparison.Ordinal);
        Assert.True(DeployPlanner.Plan(_image.Manifest, _image.Hash, needed, 512, null).IsPlanned);
    }

    [Fact]
    public void Another_sector_size_is_refused()
    {
        var refused = DeployPlanner.Plan(_image.Manifest, _image.Hash, 1L << 40, 4096, null);
        Assert.Equal("sectorSizeMismatch", refused.Failure?.Code);
    }

    [Fact]
    public void Resumes_only_on_the_record_of_this_manifest_on_this_disk()
    {
        var size = _image.Source.SizeBytes;
        bool Resumes(ResumeRecord record) => DeployPlanner.Plan(_image.Manifest, _image.Hash, size, 512, record).Plan!.Resuming;
        var record = new ResumeRecord(_image.Hash, 1, size, 512);
        Assert.True(Resumes(record));
        Assert.True(Resumes(record with { HostTaskId = 99 }));
        Assert.False(Resumes(record with { ManifestHash = new string('0', 64) }));
        Assert.False(Resumes(record with { DiskSizeBytes = size + 512 }));
        Assert.False(Resumes(record with { SectorSize = 4096 }));
    }

    [Fact]
    public void The_plan_tells_people_what_will_happen()
    {
        var disk = new DiskInventory("sda", "Best\u0007Disk", "S1", null, _image.Source.SizeBytes, 512, 512, false, false, false, "sata", false);
        var plan = DeployPlanner.Plan(_image.Manifest, _image.Hash, _image.Source.SizeBytes, 512, null).Plan!.Describe(disk);
        Assert.Equal("Erases everything on sda (Best?Disk, serial S1, 13.6 MB).", plan.Erases);
        Assert.Equal(_image.Manifest.UsedBytes, plan.BytesToWrite);
        Assert.Equal([1, 2, 3], plan.Volumes.Select(v => v.Number));
        Assert.Equal(_image.Manifest.Volumes.Select(v => v.UsedBytes), plan.Volumes.Select(v => v.UsedBytes));
    }
}
