using ImageForge.NetBoot.Dhcp;
using ImageForge.NetBoot.Pxe;
using ImageForge.NetBoot.Tests.Dhcp;

namespace ImageForge.NetBoot.Tests.Pxe;

public sealed class BootClientParserTests
{
    private static readonly byte[] Pxe = "PXEClient"u8.ToArray();

    [Fact]
    public void Reads_the_ipxe_rom_of_qemu()
    {
        var client = BootClientParser.Read(Requests.Read("ipxe-1.0.0-discover"))!;

        Assert.Equal("52:54:00:aa:00:01", client.Mac.ToString());
        Assert.Equal(ClientArchitecture.Bios, client.Architecture);
        Assert.True(client.IsIpxe);
        Assert.True(client.IpxeHasHttp);
        Assert.False(client.IsHttp);
        Assert.Equal(new IpxeVersion(1, 0, 0), client.IpxeVersion);
        // The -uuid given to QEMU, in the form dmidecode prints.
        Assert.Equal(new Guid("12345678-9abc-def0-1234-56789abcdef0"), client.Uuid);
    }

    [Theory]
    [InlineData("ovmf-pxe-discover", ClientArchitecture.X64, false)]
    [InlineData("ovmf-pxe-request", ClientArchitecture.X64, false)]
    [InlineData("ovmf-http-discover", ClientArchitecture.X64Http, true)]
    public void Reads_ovmf(string packet, ClientArchitecture architecture, bool http)
    {
        var client = BootClientParser.Read(Requests.Read(packet))!;

        Assert.Equal(architecture, client.Architecture);
        Assert.Equal(http, client.IsHttp);
        Assert.False(client.IsIpxe);
        Assert.Null(client.IpxeVersion);
        Assert.Equal(new Guid("12345678-9abc-def0-1234-56789abcdef0"), client.Uuid);
    }

    [Fact]
    public void An_ordinary_dhcp_client_is_none() =>
        Assert.Null(BootClientParser.Read(Requests.Make(DhcpMessageType.Discover, null, (DhcpOptionCode.VendorClass, "udhcp 1.35"u8.ToArray()))));

    [Fact]
    public void The_architecture_comes_from_the_vendor_class_when_option_93_is_missing()
    {
        var client = BootClientParser.Read(Requests.Make(DhcpMessageType.Discover, null, (DhcpOptionCode.VendorClass, "PXEClient:Arch:00011:UNDI:003000"u8.ToArray())))!;
        Assert.Equal(ClientArchitecture.Arm64, client.Architecture);
        Assert.Null(client.Uuid);
    }

    [Theory]
    [InlineData(new byte[0])]
    [InlineData(new byte[] { 7 })]
    [InlineData(new byte[] { 0, 7, 0 })]
    public void A_crooked_option_93_counts_as_absent(byte[] value) =>
        Assert.Null(BootClientParser.Read(Requests.Make(DhcpMessageType.Discover, null, (DhcpOptionCode.VendorClass, Pxe), (DhcpOptionCode.ClientArchitecture, value)))!.Architecture);

    [Theory]
    [InlineData(16, 0)]
    [InlineData(17, 1)]
    [InlineData(0, 0)]
    public void A_crooked_option_97_counts_as_absent(int length, byte type)
    {
        var value = new byte[length];
        if (length > 0)
            value[0] = type;
        Assert.Null(BootClientParser.Read(Requests.Make(DhcpMessageType.Discover, null, (DhcpOptionCode.VendorClass, Pxe), (DhcpOptionCode.ClientMachineIdentifier, value)))!.Uuid);
    }

    [Theory]
    [InlineData("69505845", true)] // plain "iPXE"
    [InlineData("0469505845", true)] // RFC 3004: one name of four bytes
    [InlineData("036162630469505845", true)] // RFC 3004: "abc", "iPXE"
    [InlineData("0469505846", false)]
    [InlineData("0569505845", false)] // longer than the option
    [InlineData("69505845ff", false)]
    [InlineData("00", false)]
    [InlineData("", false)]
    public void Ipxe_is_known_by_both_forms_of_user_class(string hex, bool expected) =>
        Assert.Equal(expected, BootClientParser.Read(Requests.Make(DhcpMessageType.Discover, null,
            (DhcpOptionCode.VendorClass, Pxe), (DhcpOptionCode.UserClass, Convert.FromHexString(hex))))!.IsIpxe);

    [Theory]
    [InlineData("eb03011501", "1.21.1")]
    [InlineData("130101eb03010000", "1.0.0")]
    [InlineData("eb020115", null)]
    [InlineData("eb0301", null)]
    public void The_version_is_sub_option_eb_of_175(string hex, string? expected)
    {
        var client = BootClientParser.Read(Requests.Make(DhcpMessageType.Discover, null, (DhcpOptionCode.VendorClass, Pxe), (DhcpOptionCode.Ipxe, Convert.FromHexString(hex))))!;
        Assert.Equal(expected, client.IpxeVersion?.ToString());
    }

    [Fact]
    public void Control_characters_of_the_vendor_class_never_reach_a_log()
    {
        var client = BootClientParser.Read(Requests.Make(DhcpMessageType.Discover, null, (DhcpOptionCode.VendorClass, [.. Pxe, 27, 10, 200, 65, .. new byte[200]])))!;
        Assert.StartsWith("PXEClient..?A".Replace('?', '.'), client.VendorClass.Replace('?', '.'), StringComparison.Ordinal);
        Assert.True(client.VendorClass.Length <= 64);
        Assert.DoesNotContain(client.VendorClass, char.IsControl);
    }

    [Theory]
    [InlineData("1.0.0", "1.21.1", true)]
    [InlineData("1.21.1", "1.21.1", false)]
    [InlineData("1.21.1+git20250501.x", "1.21.1", false)]
    [InlineData("1.20", "1.20.1", true)]
    [InlineData("2", "1.99.9", false)]
    public void Versions_compare_by_number(string left, string right, bool older)
    {
        Assert.True(IpxeVersion.TryParse(left, out var a));
        Assert.True(IpxeVersion.TryParse(right, out var b));
        Assert.Equal(older, a < b);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("x")]
    [InlineData("1.2.3.4")]
    [InlineData("1..2")]
    public void What_is_no_version_is_refused(string? text) => Assert.False(IpxeVersion.TryParse(text, out _));
}
