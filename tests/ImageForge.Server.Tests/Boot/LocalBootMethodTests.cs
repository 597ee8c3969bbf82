using ImageForge.Server.Boot;

namespace ImageForge.Server.Tests.Boot;

public sealed class LocalBootMethodTests
{
    [Theory]
    [InlineData(null, "auto", "0x80", "auto")]
    [InlineData("auto", "auto", "0x80", "auto")]
    [InlineData(" exit ", "exit", "0x80", "auto")]
    [InlineData("disk 0x81", "auto", "0x81", "auto")]
    [InlineData(@"file \EFI\Microsoft\Boot\bootmgfw.efi", "auto", "0x80", @"\EFI\Microsoft\Boot\bootmgfw.efi")]
    public void Reads_the_known_forms(string? text, string way, string drive, string file)
    {
        Assert.True(LocalBootMethod.TryParse(text, out var method));
        Assert.Equal(new LocalBootMethod(way, drive, file), method);
    }

    [Theory]
    [InlineData("reboot")]
    [InlineData("disk 0x80 || shell")]
    [InlineData(@"file \EFI\a b.efi")]
    [InlineData(@"file \EFI\..${x}")]
    [InlineData("file /EFI/BOOT/BOOTX64.EFI")]
    [InlineData("disk 0x80\nshell")]
    public void Falls_back_to_the_default_for_anything_else(string text)
    {
        Assert.False(LocalBootMethod.TryParse(text, out var method));
        Assert.Equal(LocalBootMethod.Default, method);
    }
}
