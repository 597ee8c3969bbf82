using System.Text;
using ImageForge.Agent.Firmware;

namespace ImageForge.Agent.Tests.Firmware;

public sealed class SystemPartitionTests : IDisposable
{
    private readonly TemporaryFolder _esp = new();

    private SystemPartition Partition => new(_esp.Path, "x64");

    [Fact]
    public void Finds_windows_listed_vendors_shim_and_grub_once_each()
    {
        Put("EFI/Microsoft/Boot/bootmgfw.efi");
        Put("EFI/ubuntu/shimx64.efi");
        Put("EFI/ubuntu/grubx64.efi");
        Put("EFI/ubuntu/BOOTX64.CSV", "\uFEFFshimx64.efi,Ubuntu 24.04,,This is the boot entry for ubuntu\r\n");
        Put("EFI/debian/SHIMX64.EFI");
        Put("EFI/debian/grubx64.efi");
        Put("EFI/arch/grubx64.efi");
        Put("EFI/systemd/systemd-bootx64.efi");
        Put("EFI/Boot/bootx64.efi");
        Put("EFI/HP/BIOS/firmware.bin");

        Assert.Equal(
            [
                new("arch", @"\EFI\arch\grubx64.efi"),
                new("debian", @"\EFI\debian\SHIMX64.EFI"),
                new("Windows Boot Manager", @"\EFI\Microsoft\Boot\bootmgfw.efi"),
                new("systemd", @"\EFI\systemd\systemd-bootx64.efi"),
                new LoaderFile("Ubuntu 24.04", @"\EFI\ubuntu\shimx64.efi"),
            ], Partition.Loaders());
    }

    [Theory]
    [InlineData("../../secret.efi,evil\n")]
    [InlineData("..\\Boot\\bootx64.efi,evil\n")]
    [InlineData("missing.efi,evil\n")]
    [InlineData(",,\n")]
    [InlineData("")]
    public void A_list_that_names_nothing_beside_it_does_not_count(string list)
    {
        Put("EFI/vendor/BOOTX64.CSV", list);
        Put("EFI/vendor/grubx64.efi");
        Assert.Equal(new LoaderFile("vendor", @"\EFI\vendor\grubx64.efi"), Assert.Single(Partition.Loaders()));
    }

    [Fact]
    public void A_missing_fallback_is_made_of_shim_and_what_it_loads()
    {
        Put("EFI/debian/shimx64.efi", "shim");
        Put("EFI/debian/grubx64.efi", "grub");
        Put("EFI/debian/fbx64.efi", "fallback");
        Assert.Contains(@"\EFI\BOOT\BOOTX64.EFI", Partition.RepairFallback(Partition.Loaders()), StringComparison.Ordinal);

        Assert.Equal("shim", Get("EFI/BOOT/BOOTX64.EFI"));
        Assert.Equal("grub", Get("EFI/BOOT/grubx64.efi"));
        // It would put the system in front of the network.
        Assert.False(File.Exists(_esp.File("EFI/BOOT/fbx64.efi")));
        Assert.Null(Partition.RepairFallback(Partition.Loaders()));
    }

    [Fact]
    public void The_images_own_fallback_is_never_touched()
    {
        Put("EFI/debian/shimx64.efi", "shim");
        Put("EFI/boot/bootx64.efi", "the image's");
        Assert.Null(Partition.RepairFallback(Partition.Loaders()));
        Assert.Equal("the image's", Get("EFI/boot/bootx64.efi"));
        Assert.Single(Directory.GetDirectories(_esp.File("EFI")), d => d.EndsWith("boot", StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public void An_empty_partition_has_no_loaders_and_needs_no_fallback()
    {
        Assert.Empty(Partition.Loaders());
        Assert.Null(Partition.RepairFallback([]));
    }

    public void Dispose() => _esp.Dispose();

    private void Put(string path, string content = "x")
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_esp.File(path))!);
        File.WriteAllBytes(_esp.File(path), path.EndsWith("CSV", StringComparison.Ordinal) ? Encoding.Unicode.GetBytes(content) : Encoding.UTF8.GetBytes(content));
    }

    private string Get(string path) => File.ReadAllText(_esp.File(path));
}
