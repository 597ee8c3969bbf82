using ImageForge.Agent.Firmware;

namespace ImageForge.Agent.Tests.Firmware;

public sealed class BootRepairTests : IDisposable
{
    private const string Shim = @"\EFI\debian\shimx64.efi", Windows = @"\EFI\Microsoft\Boot\bootmgfw.efi";
    private static readonly Guid s_here = new("aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"), s_otherDisk = new("99999999-0000-0000-0000-000000000001");
    private readonly FirmwareFolder _firmware = new();

    [Fact]
    public void A_restored_system_gets_an_entry_directly_behind_the_network()
    {
        _firmware.Add(0, "EFI Internal Shell", new DevicePath([0x7F, 0xFF, 4, 0]));
        _firmware.Order(3, 0);
        Repair(Loader(Shim, "debian"));

        Assert.Equal(["UEFI PXEv4", "debian", "EFI Internal Shell"], _firmware.Descriptions);
        Assert.Equal(Loader(Shim, "debian").Path.Bytes, _firmware.Table.Entries[1].Path.Bytes);
    }

    [Fact]
    public void An_entry_that_already_leads_there_keeps_its_number_and_its_data_and_goes_behind_the_network()
    {
        _firmware.Add(1, "Windows Boot Manager", Loader(Windows).Path, "BCDOBJECT"u8.ToArray());
        _firmware.Order(1, 3);
        Repair(Loader(Windows, "Windows Boot Manager"));

        Assert.Equal([3, 1], _firmware.Table.Order);
        Assert.Equal("BCDOBJECT"u8.ToArray(), _firmware.Table.Entries[1].OptionalData);
    }

    [Fact]
    public void An_entry_of_the_overwritten_system_is_pointed_to_the_new_partition()
    {
        _firmware.Add(1, "debian", FirmwareFolder.Loader(FirmwareFolder.OldPartition, Shim));
        _firmware.Order(3, 1);
        var repair = Repair(Loader(Shim, "debian"));

        Assert.Equal(s_here, _firmware.Table.Entries[1].Path.Partition);
        Assert.Equal([3, 1], _firmware.Table.Order);
        Assert.Contains(repair.Notes, note => note.Contains("restored partition", StringComparison.Ordinal));
    }

    [Fact]
    public void Duplicates_go_and_the_intact_one_stays()
    {
        _firmware.Add(1, "debian", FirmwareFolder.Loader(FirmwareFolder.OldPartition, Shim));
        _firmware.Add(2, "debian", Loader(Shim).Path);
        _firmware.Add(4, "debian", Loader(Shim).Path);
        _firmware.Add(5, "debian, quiet", Loader(Shim).Path, [7]);
        _firmware.Order(1, 3, 2, 4, 5);
        Repair(Loader(Shim, "debian"));

        Assert.Equal([3, 2, 5], _firmware.Table.Order);
        Assert.Equal([2, 3, 5], _firmware.Table.Entries.Keys.Select(k => (int)k));
    }

    [Fact]
    public void A_system_of_the_same_name_on_another_disk_is_left_alone()
    {
        _firmware.Add(1, "debian", FirmwareFolder.Loader(s_otherDisk, Shim));
        _firmware.Order(1, 3);
        Repair(Loader(Shim, "debian"));

        Assert.Equal([1, 3, 0], _firmware.Table.Order);
        Assert.Equal(s_otherDisk, _firmware.Table.Entries[1].Path.Partition);
    }

    [Fact]
    public void A_system_on_a_disk_that_cannot_be_read_right_now_is_left_alone()
    {
        var unreadable = new Guid("77777777-0000-0000-0000-000000000001");
        _firmware.Add(1, "Windows Boot Manager", FirmwareFolder.Loader(unreadable, Windows));
        _firmware.Order(3, 1);
        Repair(Loader(Windows, "Windows Boot Manager"));

        Assert.Equal([3, 0, 1], _firmware.Table.Order);
        Assert.Equal(unreadable, _firmware.Table.Entries[1].Path.Partition);
    }

    [Fact]
    public void A_second_deploy_changes_nothing()
    {
        Repair(Loader(Shim, "debian"), Loader(Windows, "Windows Boot Manager"));
        var (entries, order) = (_firmware.Table.Entries.Keys.ToList(), _firmware.Table.Order);
        var again = Repair(Loader(Shim, "debian"), Loader(Windows, "Windows Boot Manager"));

        Assert.Empty(again.Notes);
        Assert.Empty(again.Changed);
        Assert.Equal(entries, _firmware.Table.Entries.Keys);
        Assert.Equal(order, _firmware.Table.Order);
    }

    [Fact]
    public void A_machine_started_from_a_stick_still_has_its_network_found()
    {
        _firmware.Add(7, "Stick", FirmwareFolder.Loader(s_otherDisk, @"\EFI\BOOT\BOOTX64.EFI"));
        _firmware.Order(7, 3);
        _firmware.Variables.Write("BootCurrent", [7, 0]);
        Repair(Loader(Shim, "debian"));

        Assert.Equal([7, 3, 0], _firmware.Table.Order);
    }

    [Fact]
    public void Without_any_network_entry_the_system_comes_last()
    {
        _firmware.Variables.Delete("Boot0003");
        _firmware.Add(1, "Stick", new DevicePath([0x7F, 0xFF, 4, 0]));
        _firmware.Order(1);
        Repair(Loader(Shim, "debian"));

        Assert.Equal([1, 0], _firmware.Table.Order);
    }

    [Fact]
    public void Numbers_in_the_order_that_lead_nowhere_are_dropped()
    {
        _firmware.Order(9, 3, 9);
        Repair(Loader(Shim, "debian"));

        Assert.Equal([3, 0], _firmware.Table.Order);
    }

    public void Dispose() => _firmware.Dispose();

    private static RestoredLoader Loader(string file, string description = "") => new(description, FirmwareFolder.Loader(s_here, file));

    private BootRepair Repair(params RestoredLoader[] loaders)
    {
        var before = _firmware.Table;
        var repair = BootRepair.Plan(before, loaders, new HashSet<Guid> { FirmwareFolder.OldPartition });
        repair.Apply(_firmware.Variables, before);
        return repair;
    }
}
