using ImageForge.Agent.Inventory;
using ImageForge.Contracts;

namespace ImageForge.Agent.Tests.Inventory;

public sealed class InventoryReaderTests
{
    [Fact]
    public void Office_pc_shows_its_NVMe_and_SATA_disks_and_neither_the_empty_card_reader_nor_the_DVD_drive()
    {
        using var machine = new RecordedMachine("office-pc-nvme-and-hdd");
        var found = InventoryReader.Read(machine.Root, machine.Disks, MacAddress.Parse("e4:54:e8:9a:11:02"));

        Assert.Equal(FirmwarePlatform.Uefi, found.Platform);
        Assert.Equal("4c4c4544-0042-3510-8052-c4c04f503332", found.Uuid);
        Assert.Equal(("5B5RP32", "LAB-0142", "Dell Inc.", "OptiPlex 7070", "1.24.0"),
            (found.Serial, found.AssetTag, found.Manufacturer, found.Product, found.FirmwareVersion));
        Assert.Equal(new CpuInventory("Intel(R) Core(TM) i7-9700 CPU @ 3.00GHz", 1, 8, 8), found.Cpu);
        Assert.Equal(16184240L * 1024, found.MemoryBytes);
        Assert.Equal(
            [
                new DiskInventory("nvme0n1", "PM981a NVMe Samsung 512GB", "S4GXNX0N318462", "eui.0025388791b2a4e1", 512110190592, 512, 512, false, false, false, "nvme", false),
                // The SCSI model stops at 16 characters; the ATA page has the whole name.
                new DiskInventory("sda", "ST2000DM008-2FR102", "ZFL1ABCD", "naa.5000c500c6ab31d5", 2000398934016, 512, 4096, true, false, false, "sata", false),
            ], found.Disks);
        Assert.Equal(
            [
                new NicInventory("eno1", "e4:54:e8:9a:11:02", "e1000e", 1000, true, true),
                new NicInventory("wlp2s0", "3c:58:c2:00:11:22", "iwlwifi", null, false, false),
            ], found.Nics);
    }

    [Fact]
    public void Virtual_machine_shows_the_virtio_serial_number_and_no_speed()
    {
        using var machine = new RecordedMachine("virtual-machine-virtio");
        var found = InventoryReader.Read(machine.Root, machine.Disks, MacAddress.Parse("52:54:00:12:34:56"));

        Assert.Equal(FirmwarePlatform.Bios, found.Platform);
        Assert.Null(found.Serial);
        Assert.Equal(
            [
                new DiskInventory("vda", null, "IFDISK01", null, 8589934592, 512, 512, true, false, false, "virtio", false),
                new DiskInventory("vdb", null, null, null, 1073741824, 512, 512, true, false, false, "virtio", false),
            ], found.Disks);
        Assert.Equal([new NicInventory("enp0s3", "52:54:00:12:34:56", "virtio_net", null, true, true)], found.Nics);
    }

    [Fact]
    public void Home_built_pc_shows_both_USB_disks_as_removable_and_the_one_it_runs_from_as_boot_medium()
    {
        using var machine = new RecordedMachine("home-built-bios-pc-with-usb");
        var found = InventoryReader.Read(machine.Root, machine.Disks, null);

        // Junk is the server's to judge.
        Assert.Equal("03000200-0400-0500-0006-000700080009", found.Uuid);
        Assert.Equal("To be filled by O.E.M.", found.Serial);
        Assert.Equal(
            [
                new DiskInventory("sda", "Samsung SSD 860", "S3Z9NB0K123456X", "naa.5002538e40a2b3c4", 250059350016, 512, 512, false, false, false, "sata", false),
                new DiskInventory("sdb", "SanDisk Cruzer Blade", "4C530001230506117332", null, 15376318464, 512, 512, false, true, false, "usb", false),
                new DiskInventory("sdc", "WD Elements 25A2", "WX71A1234567", null, 1000204883968, 512, 4096, true, true, false, "usb", true),
            ], found.Disks);
        // Without BOOTIF the only card with a link is the one.
        Assert.True(Assert.Single(found.Nics).BootNic);
    }

    [Fact]
    public void Rack_server_shows_each_disk_once_with_its_bus_and_no_bridge_or_InfiniBand_port()
    {
        using var machine = new RecordedMachine("rack-server-sas-raid-multipath");
        var found = InventoryReader.Read(machine.Root, machine.Disks, MacAddress.Parse("94:18:82:00:00:01"));

        Assert.Equal((2, 28, 56), (found.Cpu.Sockets, found.Cpu.Cores, found.Cpu.Threads));
        Assert.Equal(
            [
                new DiskInventory("nvme1n1", "INTEL SSDPE2KE016T8", "PHLN123400AB1P6AGN", "eui.01000000010000005cd2e4a1b2c35051", 1600321314816, 512, 512, false, false, false, "nvme", false),
                new DiskInventory("sda", "HGST HUS726040AL4214", "K4KABCDE", "naa.5000cca25d123456", 4000787030016, 4096, 4096, true, false, false, "sas", false),
                new DiskInventory("sdb", "LSI MR9361-8i", "00716f5e4d3c2b1a2a5634120db00506", "naa.600605b00d1234562a1b2c3d4e5f6071", 959656755200, 512, 4096, false, false, false, "scsi", false),
                new DiskInventory("sdc", "LIO-ORG disk1", "abcdef01-2345-6789-abcd-ef0123456789", "naa.6001405abcdef0123456789abcdef012", 107374182400, 512, 512, false, false, true, "iscsi", false),
            ], found.Disks);
        Assert.Equal(["eno49", "eno50"], found.Nics.Select(n => n.Name));
        Assert.Equal([true, false], found.Nics.Select(n => n.BootNic));
    }

    [Fact]
    public void Mini_pc_shows_its_eMMC_once_and_the_SD_card_as_removable()
    {
        using var machine = new RecordedMachine("mini-pc-emmc-and-sd-card");
        var found = InventoryReader.Read(machine.Root, machine.Disks, null);

        Assert.Equal(
            [
                new DiskInventory("mmcblk0", "BJTD4R", "0x6f21e8a4", null, 31268536320, 512, 512, false, false, false, "mmc", false),
                new DiskInventory("mmcblk1", "SN64G", "0x3a1b2c3d", null, 63864569856, 512, 512, false, true, false, "mmc", false),
            ], found.Disks);
        Assert.Equal("r8152", Assert.Single(found.Nics).Driver);
    }

    [Fact]
    public void Hyper_V_machine_shows_its_disk_by_name_only()
    {
        using var machine = new RecordedMachine("virtual-machine-hyper-v");
        var found = InventoryReader.Read(machine.Root, machine.Disks, null);

        Assert.Equal([new DiskInventory("sda", "Msft Virtual Disk", null, "naa.60022480a1b2c3d4e5f60718293a4b5c", 136365211648, 512, 4096, true, false, false, "scsi", false)], found.Disks);
        Assert.Equal("hv_netvsc", Assert.Single(found.Nics).Driver);
        Assert.Equal((1, 1, 2), (found.Cpu.Sockets, found.Cpu.Cores, found.Cpu.Threads));
    }

    [Fact]
    public void A_machine_that_tells_nothing_has_an_empty_inventory()
    {
        using var folder = new TemporaryFolder();
        var root = new SystemRoot(folder.Path);
        var found = InventoryReader.Read(root, new MachineDisks(root), null);

        Assert.Empty(found.Disks);
        Assert.Empty(found.Nics);
        Assert.Null(found.Uuid);
        Assert.Equal(0, found.MemoryBytes);
        Assert.Equal(1, found.Cpu.Threads);
    }

    [Fact]
    public void This_machine_can_be_read()
    {
        var root = new SystemRoot("/");
        var found = InventoryReader.Read(root, new MachineDisks(root), null);

        Assert.Equal(Environment.ProcessorCount, Math.Min(found.Cpu.Threads, Environment.ProcessorCount));
        Assert.InRange(found.MemoryBytes, 64L << 20, 1L << 50);
    }

    /// <summary>Any byte may come from a device: attributes are overwritten with noise, cut off or emptied.</summary>
    [Theory]
    [InlineData("office-pc-nvme-and-hdd")]
    [InlineData("rack-server-sas-raid-multipath")]
    [InlineData("mini-pc-emmc-and-sd-card")]
    public void Noise_in_any_attribute_never_throws_and_never_reaches_the_text(string name)
    {
        var seed = Random.Shared.Next();
        var random = new Random(seed);
        using var machine = new RecordedMachine(name);
        var files = machine.Files().Order(StringComparer.Ordinal).ToArray();
        Assert.True(files.Length > 20);
        for (var round = 0; round < 400; round++)
        {
            var file = files[random.Next(files.Length)];
            var before = File.ReadAllBytes(file);
            var noise = new byte[random.Next(4) switch { 0 => 0, 1 => random.Next(8), 2 => random.Next(700), _ => before.Length }];
            random.NextBytes(noise);
            if (noise.Length > 1 && random.Next(2) == 0)
                noise[1] = (byte)(random.Next(2) == 0 ? 0x80 : 0x89);
            File.WriteAllBytes(file, noise);

            var found = InventoryReader.Read(machine.Root, machine.Disks, null);

            var texts = found.Disks.SelectMany(d => new[] { d.Model, d.Serial, d.Wwn })
                .Concat(found.Nics.SelectMany(n => new[] { n.Mac, n.Driver }))
                .Append(found.Cpu.Model).Append(found.Uuid).Append(found.Serial).Append(found.Product);
            foreach (var text in texts.OfType<string>())
                Assert.True(text.Length <= 128 && !text.Any(char.IsControl), $"seed {seed}, round {round}, {file}: \"{text}\"");
            File.WriteAllBytes(file, before);
        }
    }

    /// <summary>Vendor and model together once exceeded the limit that each of them kept.</summary>
    [Fact]
    public void A_long_vendor_and_a_long_model_together_keep_the_limit()
    {
        using var machine = new RecordedMachine("virtual-machine-hyper-v");
        var device = machine.Files().Single(f => f.EndsWith("/vendor", StringComparison.Ordinal));
        File.WriteAllText(device, new string('v', 120));
        File.WriteAllText(Path.Combine(Path.GetDirectoryName(device)!, "model"), new string('m', 120));

        Assert.Equal(128, Assert.Single(machine.Disks.List()).Model!.Length);
    }

    [Theory]
    [InlineData("", null)]
    [InlineData("00", null)]
    [InlineData("0080", null)]
    [InlineData("00800004", null)]
    [InlineData("008000044142", "AB")]
    [InlineData("0080ffff4142", "AB")]
    [InlineData("008000024142434445", "AB")]
    [InlineData("008300024142", null)]
    [InlineData("0080000420204120", "A")]
    public void Unit_serial_page_is_read_no_further_than_it_goes(string page, string? serial) =>
        Assert.Equal(serial, Agent.Inventory.DiskIdentity.UnitSerial(Convert.FromHexString(page)));
}
