using ImageForge.Contracts;
using ImageForge.Imaging.Deploy;
using ImageForge.Imaging.Disks;
using ImageForge.Imaging.Manifests;

namespace ImageForge.Imaging.Tests.Deploy;

public sealed class TargetDisksTests
{
    private static readonly DiskInventory s_fast = new("nvme0n1", "Fast", "SER-1", "eui.0025385b71b0a1f2", 512_000_000_000, 512, 4096, false, false, false, "nvme", false);
    private static readonly DiskInventory s_big = s_fast with { Name = "sda", Model = "Big", Serial = "SER-2", Wwn = "0x5000c500a1b2c3d4", SizeBytes = 4_000_000_000_000, Bus = "sata" };
    private static readonly DiskInventory s_stick = s_fast with { Name = "sdb", Serial = "USB", Wwn = null, Removable = true, SizeBytes = 16_000_000_000, Bus = "usb" };

    private static ImageDisks Image(params long[] sizes) => new([.. sizes.Select(size =>
        new ImageDisk(null, new string('0', 64), new Manifest(size, 512, null, PartitionScheme.None, null, [], [])))]);

    [Fact]
    public void Without_rules_the_order_of_size_tells_which_disk_is_meant()
    {
        foreach (var list in (DiskInventory[][])[[s_fast, s_stick, s_big], [s_big, s_stick, s_fast]])
        {
            Assert.Equal([s_fast, s_big], TargetDisks.Assign(list, Image(500_000_000_000, 2_000_000_000_000), null, null).Disks);
            Assert.Equal([s_big, s_fast], TargetDisks.Assign(list, Image(2_000_000_000_000, 500_000_000_000), null, null).Disks);
        }
    }

    [Theory]
    [InlineData(500_000_000_000, 500_000_000_000, 4_000_000_000_000)]
    [InlineData(500_000_000_000, 400_000_000_000, 512_000_000_000)]
    public void Two_disks_of_one_size_are_refused_with_the_list(long first, long second, long big)
    {
        var refusal = TargetDisks.Assign([s_fast, s_big with { SizeBytes = big }], Image(first, second), null, null).Refusal;
        Assert.Equal("diskAmbiguous", refusal?.Code);
        Assert.Contains("serial SER-1", refusal!.Sentence, StringComparison.Ordinal);
        Assert.Contains("serial SER-2", refusal.Sentence, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void Fewer_or_more_disks_than_the_image_has_are_refused(int count)
    {
        var machine = new[] { s_fast, s_big, s_fast with { Name = "sdz", Serial = "SER-3", SizeBytes = 1 << 30 } }.Take(count).ToList();
        Assert.Equal("diskAmbiguous", TargetDisks.Choose(machine, 2, null, null).Refusal?.Code);
    }

    [Fact]
    public void Rules_name_the_disks_in_the_order_of_the_image()
    {
        var choices = new DeployChoices(Rules: [new DiskRule(Bus: "sata"), new DiskRule(Serial: "SER-1")]);
        Assert.Equal([s_big, s_fast], TargetDisks.Assign([s_fast, s_big], Image(1, 1), null, choices).Disks);
    }

    [Fact]
    public void A_rule_too_few_the_same_disk_twice_one_name_and_selected_volumes_are_refused()
    {
        Failure? Of(string? name, DeployChoices? choices) => TargetDisks.Assign([s_fast, s_big], Image(1, 2), name, choices).Refusal;
        Assert.Equal("diskRulesMissing", Of(null, new DeployChoices(Rules: [new DiskRule(Serial: "SER-1")]))?.Code);
        Assert.Equal("diskRulesMissing", Of("SER-1", null)?.Code);
        Assert.Contains("would both be", Of(null, new DeployChoices(Rules: [new DiskRule(Serial: "SER-1"), new DiskRule(Bus: "nvme")]))?.Sentence, StringComparison.Ordinal);
        Assert.Equal("severalDisks", Of(null, new DeployChoices(Volumes: [1]))?.Code);
    }

    [Fact]
    public void A_write_protected_disk_is_refused_as_target_and_taken_as_source()
    {
        DiskInventory[] machine = [s_fast, s_big with { ReadOnly = true }];
        Assert.Equal("diskReadOnly", TargetDisks.Assign(machine, Image(1, 2), null, null).Refusal?.Code);
        Assert.Equal(["sda", "nvme0n1"], TargetDisks.ChooseSources(machine, ["SER-2", "SER-1"]).Disks!.Select(d => d.Name));
        Assert.Contains("would both be", TargetDisks.ChooseSources(machine, ["SER-2", "0x5000c500a1b2c3d4"]).Refusal!.Sentence, StringComparison.Ordinal);
    }
}
