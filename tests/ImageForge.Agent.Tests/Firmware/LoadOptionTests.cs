using ImageForge.Agent.Firmware;

namespace ImageForge.Agent.Tests.Firmware;

public sealed class LoadOptionTests
{
    /// <summary>Put together by hand from UEFI 2.10 §3.1.3 and §10.3: <c>HD(1,GPT,…,0x800,0x100000)/File(\EFI\debian\shimx64.efi)</c>.</summary>
    private const string Debian =
        "01000000" + "6200" + "640065006200690061006e000000"
        + "04012a00" + "01000000" + "0008000000000000" + "0000100000000000" + "78563412bc9af0de1122334455667788" + "0202"
        + "04043400" + "5c004500460049005c00640065006200690061006e005c007300680069006d007800360034002e006500660069000000" + "7fff0400";

    [Fact]
    public void Reads_and_writes_the_same_bytes()
    {
        var bytes = Convert.FromHexString(Debian);
        var entry = LoadOption.Parse(bytes)!;

        Assert.Equal("debian", entry.Description);
        Assert.Equal(new Guid("12345678-9abc-def0-1122-334455667788"), entry.Path.Partition);
        Assert.Equal(@"\EFI\debian\shimx64.efi", entry.Path.File);
        Assert.False(entry.Path.IsNetwork);
        Assert.Equal(bytes, entry.ToBytes());
        Assert.Equal(entry.Path.Bytes, DevicePath.OfLoader(1, 0x800, 0x100000, entry.Path.Partition!.Value, entry.Path.File!).Bytes);
    }

    [Fact]
    public void A_network_path_is_one_and_leads_to_no_partition()
    {
        Assert.True(FirmwareFolder.Network.IsNetwork);
        Assert.Null(FirmwareFolder.Network.Partition);
        Assert.Null(FirmwareFolder.Network.File);
    }

    [Theory]
    [InlineData("")]
    [InlineData("0100000004")]
    [InlineData("01000000ffff61000000")]
    [InlineData("01000000040061006200")]
    public void What_is_no_load_option_is_none(string hex) => Assert.Null(LoadOption.Parse(Convert.FromHexString(hex)));

    [Fact]
    public void Changed_bytes_are_read_or_refused_and_never_more()
    {
        var seed = Environment.TickCount;
        var random = new Random(seed);
        var whole = new LoadOption(1, "Windows Boot Manager", FirmwareFolder.Loader(FirmwareFolder.OldPartition, @"\EFI\Microsoft\Boot\bootmgfw.efi"), [1, 2, 3]).ToBytes();
        for (var i = 0; i < 20_000; i++)
        {
            var bytes = whole[..random.Next(whole.Length + 1)];
            for (var change = random.Next(6); change > 0 && bytes.Length > 0; change--)
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            if (LoadOption.Parse(bytes) is not { } entry)
                continue;
            var what = $"seed {seed}, case {i}: {Convert.ToHexString(bytes)}";
            Assert.True(entry.Path.Bytes.Length + entry.OptionalData.Length <= bytes.Length, what);
            _ = (entry.Path.Partition, entry.Path.File, entry.Path.IsNetwork);
        }
    }
}
