using ImageForge.Agent.Tasks;
using ImageForge.Contracts;
using ImageForge.Imaging.Deploy;

namespace ImageForge.Agent.Tests.Tasks;

public sealed class TargetStillAgreedTests
{
    private const long Size = 512L << 30;

    private static readonly DiskInventory s_agreed = new("sda", "Disk", "S1", "naa.5000c500c6ab31d5", Size, 512, 512, false, false, false, "scsi", false);

    public static TheoryData<string, DiskInventory> Others => new()
    {
        { "name", s_agreed with { Name = "sdb" } },
        { "serial", s_agreed with { Serial = "S2" } },
        { "no serial", s_agreed with { Serial = null } },
        { "WWN", s_agreed with { Wwn = "naa.5000c500c6ab31d6" } },
        { "no WWN", s_agreed with { Wwn = null } },
        { "size", s_agreed with { SizeBytes = Size + 512 } },
    };

    [Fact]
    public void The_same_disk_may_be_written_even_if_the_kernel_now_tells_more_about_it() =>
        Assert.Null(TargetStillAgreed.Refusal(s_agreed, Size, new DiskChoice(s_agreed with { Model = "Disk 512", Rotational = true }, null), Size));

    [Theory]
    [MemberData(nameof(Others))]
    public void A_disk_that_differs_in_anything_that_tells_disks_apart_is_refused(string what, DiskInventory now)
    {
        var failure = TargetStillAgreed.Refusal(s_agreed, Size, new DiskChoice(now, null), Size);

        Assert.True(failure is { Code: "targetDiskChanged", Fault: Fault.Disk }, what);
    }

    [Fact]
    public void An_open_disk_of_another_size_than_the_plans_is_refused() =>
        Assert.Equal("targetDiskChanged", TargetStillAgreed.Refusal(s_agreed, Size, new DiskChoice(s_agreed, null), Size - 512)?.Code);

    [Fact]
    public void A_choice_that_is_no_longer_clear_is_refused_with_its_reason()
    {
        var now = TargetDisk.Choose([s_agreed, s_agreed with { Name = "sdb", Serial = "S2", Wwn = null }], null);

        Assert.Contains("sdb", TargetStillAgreed.Refusal(s_agreed, Size, now, Size)?.Sentence, StringComparison.Ordinal);
    }
}
