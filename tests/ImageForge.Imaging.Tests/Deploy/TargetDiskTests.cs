using ImageForge.Contracts;
using ImageForge.Imaging.Deploy;

namespace ImageForge.Imaging.Tests.Deploy;

public sealed class TargetDiskTests
{
    private static readonly DiskInventory s_internal = new("nvme0n1", "Fast", "SER-1", "eui.0025385b71b0a1f2", 512_000_000_000, 512, 4096, false, false, false, "nvme", false);
    private static readonly DiskInventory s_second = s_internal with { Name = "sda", Model = "Big", Serial = "SER-2", Wwn = "0x5000c500a1b2c3d4", SizeBytes = 4_000_000_000_000 };
    private static readonly DiskInventory s_stick = s_internal with { Name = "sdb", Serial = "USB", Wwn = null, Removable = true, SizeBytes = 16_000_000_000, Bus = "usb" };
    private static readonly DiskInventory s_medium = s_internal with { Name = "sdc", Serial = "LIVE", Wwn = null, BootMedium = true };
    private static readonly DiskInventory s_locked = s_internal with { Name = "sdd", Serial = "LOCK", Wwn = null, ReadOnly = true };
    private static readonly DiskInventory s_reader = s_internal with { Name = "sde", Serial = null, Wwn = null, SizeBytes = 0 };

    [Fact]
    public void The_only_internal_disk_is_chosen_wherever_it_stands_in_the_list()
    {
        DiskInventory[] disks = [s_stick, s_medium, s_reader, s_internal];
        foreach (var order in (DiskInventory[][])[disks, [.. disks.Reverse()]])
            Assert.Equal(s_internal, TargetDisk.Choose(order, null).Disk);
        Assert.Equal(s_internal, TargetDisk.Choose(disks, "  ").Disk);
    }

    [Fact]
    public void Two_internal_disks_are_refused_with_the_list()
    {
        var choice = TargetDisk.Choose([s_internal, s_second], null);
        Assert.False(choice.IsChosen);
        Assert.Equal(("diskAmbiguous", Fault.Disk), (choice.Refusal.Code, choice.Refusal.Fault));
        Assert.Contains("nvme0n1 (Fast, serial SER-1, 512 GB); sda (Big, serial SER-2, 4 TB)", choice.Refusal.Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public void No_fit_disk_is_refused_with_the_list()
    {
        var choice = TargetDisk.Choose([s_stick with { ReadOnly = true }, s_medium], null);
        Assert.Equal("noDisk", choice.Refusal?.Code);
        Assert.Contains("removable", choice.Refusal!.Sentence, StringComparison.Ordinal);
        Assert.Contains("boot medium", choice.Refusal.Sentence, StringComparison.Ordinal);
        Assert.Contains("read-only", choice.Refusal.Sentence, StringComparison.Ordinal);
        Assert.Contains("none", TargetDisk.Choose([], null).Refusal!.Sentence, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("SER-2")]
    [InlineData(" ser-2 ")]
    [InlineData("0x5000c500a1b2c3d4")]
    [InlineData("5000C500A1B2C3D4")]
    [InlineData("naa.5000c500a1b2c3d4")]
    [InlineData("wwn-0x5000c500a1b2c3d4")]
    public void A_disk_is_named_by_serial_or_wwn_however_written(string name) =>
        Assert.Equal(s_second, TargetDisk.Choose([s_internal, s_second, s_stick], name).Disk);

    [Fact]
    public void A_removable_disk_is_taken_only_when_named() =>
        Assert.Equal(s_stick, TargetDisk.Choose([s_internal, s_stick], "USB").Disk);

    [Fact]
    public void A_name_that_fits_nothing_or_too_much_is_refused()
    {
        Assert.Equal("diskNotFound", TargetDisk.Choose([s_internal], "SER-9").Refusal?.Code);
        // Part of a serial is not a serial.
        Assert.Equal("diskNotFound", TargetDisk.Choose([s_internal], "SER").Refusal?.Code);
        Assert.Equal("diskAmbiguous", TargetDisk.Choose([s_internal, s_second with { Serial = "SER-1" }], "SER-1").Refusal?.Code);
        Assert.Equal("diskNotFound", TargetDisk.Choose([s_internal with { Serial = null, Wwn = null }], "0x").Refusal?.Code);
    }

    [Fact]
    public void A_write_protected_disk_is_captured_but_never_written()
    {
        Assert.Equal("diskReadOnly", TargetDisk.Choose([s_internal, s_locked], "LOCK").Refusal?.Code);
        Assert.Equal(s_locked, TargetDisk.ChooseSource([s_locked, s_stick], null).Disk);
        Assert.Equal("diskReadOnly", TargetDisk.Choose([s_locked, s_stick], null).Refusal?.Code);
        Assert.Equal(s_internal, TargetDisk.Choose([s_internal, s_locked], "SER-1").Disk);
    }

    [Fact]
    public void A_write_protected_disk_beside_another_is_a_question_and_not_a_reason_to_erase_the_other()
    {
        foreach (var disks in (DiskInventory[][])[[s_internal, s_locked], [s_locked, s_internal]])
        {
            var choice = TargetDisk.Choose(disks, null);
            Assert.Equal("diskAmbiguous", choice.Refusal?.Code);
            Assert.Contains("serial SER-1, 512 GB", choice.Refusal!.Sentence, StringComparison.Ordinal);
            Assert.Contains("serial LOCK, 512 GB, read-only", choice.Refusal.Sentence, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Device_text_cannot_break_the_sentence()
    {
        var evil = s_internal with { Model = "a\nb\u001b[2J" + new string('x', 500), Serial = "\0" };
        var sentence = TargetDisk.Choose([evil, s_second], null).Refusal!.Sentence;
        Assert.DoesNotContain(sentence, c => char.IsControl(c));
        Assert.True(sentence.Length < 400);
    }
}
