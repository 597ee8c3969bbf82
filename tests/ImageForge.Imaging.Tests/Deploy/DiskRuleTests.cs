using ImageForge.Contracts;
using ImageForge.Imaging.Deploy;

namespace ImageForge.Imaging.Tests.Deploy;

public sealed class DiskRuleTests
{
    private static readonly DiskInventory s_fast = new("nvme0n1", "Fast", "SER-1", "eui.0025385b71b0a1f2", 512_000_000_000, 512, 4096, false, false, false, "nvme", false);
    private static readonly DiskInventory s_big = new("sda", "Big", "SER-2", "0x5000c500a1b2c3d4", 4_000_000_000_000, 512, 4096, true, false, false, "sata", false);
    private static readonly DiskInventory s_stick = s_fast with { Name = "sdb", Serial = "USB", Wwn = null, Removable = true, SizeBytes = 16_000_000_000, Bus = "usb" };
    private static readonly DiskInventory s_medium = s_fast with { Name = "sdc", Serial = "LIVE", Wwn = null, BootMedium = true };
    private static readonly DiskInventory[] s_all = [s_stick, s_medium, s_big, s_fast];

    public static TheoryData<DiskRule, string> Fitting => new()
    {
        { new DiskRule(Serial: "ser-2"), "sda" },
        { new DiskRule(Wwn: "wwn-0x5000C500A1B2C3D4"), "sda" },
        { new DiskRule(MinBytes: 1_000_000_000_000), "sda" },
        { new DiskRule(MaxBytes: 1_000_000_000_000), "nvme0n1" },
        { new DiskRule(MinBytes: 512_000_000_000, MaxBytes: 512_000_000_000), "nvme0n1" },
        { new DiskRule(Rotational: true), "sda" },
        { new DiskRule(Rotational: false), "nvme0n1" },
        { new DiskRule(Bus: "NVMe"), "nvme0n1" },
        { new DiskRule(Bus: "sata", Rotational: true, MinBytes: 1), "sda" },
        { new DiskRule(Serial: "USB"), "sdb" },
        { new DiskRule(Serial: "LIVE", Bus: "nvme"), "sdc" },
    };

    [Theory]
    [MemberData(nameof(Fitting))]
    public void The_only_disk_of_which_everything_holds_is_chosen(DiskRule rule, string name)
    {
        Assert.Equal(name, TargetDisk.ChooseBy(s_all, rule).Disk?.Name);
        Assert.Equal(name, TargetDisk.Choose([.. s_all.Reverse()], null, new DeployChoices([rule])).Disk?.Name);
    }

    [Fact]
    public void Several_that_fit_are_refused_with_the_list()
    {
        var choice = TargetDisk.ChooseBy(s_all, new DiskRule(MinBytes: 100_000_000_000));
        Assert.Equal(("diskAmbiguous", Fault.Disk), (choice.Refusal?.Code, choice.Refusal?.Fault));
        Assert.Contains("2 disks fit the rule (at least 100 GB): sda (Big, serial SER-2, 4 TB); nvme0n1 (Fast, serial SER-1, 512 GB).", choice.Refusal!.Sentence, StringComparison.Ordinal);
        Assert.Equal("diskAmbiguous", TargetDisk.ChooseBy(s_all, new DiskRule()).Refusal?.Code);
    }

    [Fact]
    public void When_nothing_fits_each_disk_is_named_with_the_condition_that_excludes_it()
    {
        var choice = TargetDisk.ChooseBy(s_all, new DiskRule(MinBytes: 1_000_000_000_000, Bus: "nvme"));
        Assert.Equal("noDisk", choice.Refusal?.Code);
        foreach (var part in (string[])["16 GB, removable) is removable and not named", "boot medium) is the boot medium and not named", "sda (Big, serial SER-2, 4 TB) is on sata", "nvme0n1 (Fast, serial SER-1, 512 GB) is smaller than 1 TB"])
            Assert.Contains(part, choice.Refusal!.Sentence, StringComparison.Ordinal);
        Assert.Contains("rotates", TargetDisk.ChooseBy([s_big], new DiskRule(Rotational: false)).Refusal!.Sentence, StringComparison.Ordinal);
        Assert.Contains("larger than 1 TB", TargetDisk.ChooseBy([s_big], new DiskRule(MaxBytes: 1_000_000_000_000)).Refusal!.Sentence, StringComparison.Ordinal);
        Assert.Contains("another serial", TargetDisk.ChooseBy([s_big], new DiskRule(Serial: "SER-1")).Refusal!.Sentence, StringComparison.Ordinal);
        Assert.Contains("no WWN", TargetDisk.ChooseBy([s_stick], new DiskRule(Wwn: "0x1")).Refusal!.Sentence, StringComparison.Ordinal);
        Assert.Contains("no disk", TargetDisk.ChooseBy([], new DiskRule()).Refusal!.Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public void Serial_and_wwn_must_both_hold() =>
        Assert.Equal("noDisk", TargetDisk.ChooseBy(s_all, new DiskRule(Serial: "SER-1", Wwn: s_big.Wwn)).Refusal?.Code);

    [Fact]
    public void A_write_protected_disk_that_fits_is_refused_and_no_other_taken_for_it() =>
        Assert.Equal("diskReadOnly", TargetDisk.ChooseBy([s_big with { ReadOnly = true }, s_fast], new DiskRule(Rotational: true)).Refusal?.Code);

    [Fact]
    public void Each_disk_of_the_image_has_its_own_rule_and_the_rest_the_jobs_disk()
    {
        var choices = new DeployChoices([new DiskRule(Bus: "nvme"), new DiskRule(Rotational: true)]);
        Assert.Equal("nvme0n1", TargetDisk.Choose(s_all, null, choices, 0).Disk?.Name);
        Assert.Equal("sda", TargetDisk.Choose(s_all, null, choices, 1).Disk?.Name);
        Assert.Equal("sda", TargetDisk.Choose(s_all, "SER-2", choices, 2).Disk?.Name);
    }
}
