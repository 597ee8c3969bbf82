using System.Text;
using ImageForge.NetBoot.Tftp;

namespace ImageForge.NetBoot.Tests.Tftp;

public sealed class TftpRequestParserTests
{
    private static byte[] Bytes(int opcode, string text) => [0, (byte)opcode, .. Encoding.UTF8.GetBytes(text)];

    [Fact]
    public void Reads_what_ovmf_asks()
    {
        Assert.True(TftpRequestParser.TryParse(RealPackets.Load("ovmf-pxe-size-request"), out var request, out _));
        Assert.Equal("boot.file", request.Path);
        Assert.False(request.Netascii);
        Assert.Equal([new("tsize", "0"), new("blksize", "1468"), new("windowsize", "4")], request.Options);
    }

    [Fact]
    public void Reads_what_ipxe_asks()
    {
        Assert.True(TftpRequestParser.TryParse(RealPackets.Load("ipxe-1.0.0-read-request"), out var request, out _));
        Assert.Equal("boot.file", request.Path);
        Assert.Contains(new("blksize", "1432"), request.Options);
        Assert.Contains(new("tsize", "0"), request.Options);
    }

    [Theory]
    [InlineData("/undionly.kpxe", "undionly.kpxe")]
    [InlineData("boot\\x64\\wdsnbp.com", "boot/x64/wdsnbp.com")]
    [InlineData("//grub/./x86_64-efi//grub.cfg", "grub/x86_64-efi/grub.cfg")]
    [InlineData("%2e%2e/etc/passwd", "%2e%2e/etc/passwd")]
    [InlineData("..file/a..b/...", "..file/a..b/...")]
    [InlineData("größe.txt", "größe.txt")]
    public void Names_become_paths_below_the_root(string name, string path)
    {
        Assert.True(TftpRequestParser.TryParse(Bytes(1, $"{name}\0octet\0"), out var request, out _));
        Assert.Equal(path, request.Path);
    }

    [Theory]
    [InlineData("../etc/passwd")]
    [InlineData("a/../../etc/passwd")]
    [InlineData("..\\..\\etc\\passwd")]
    [InlineData("a/..")]
    [InlineData("..")]
    [InlineData("/")]
    [InlineData("")]
    [InlineData("./")]
    [InlineData("a\nb")]
    [InlineData("a\u001b[2J")]
    public void Names_that_lead_out_or_nowhere_are_an_access_violation(string name)
    {
        Assert.False(TftpRequestParser.TryParse(Bytes(1, $"{name}\0octet\0"), out _, out var defect));
        Assert.Equal((TftpIgnoreReason.BadPath, TftpErrorCode.AccessViolation), (defect.Reason, defect.Code));
    }

    public static TheoryData<byte[], TftpIgnoreReason, TftpErrorCode?> Refusals => new()
    {
        { [], TftpIgnoreReason.TooShort, null },
        { [0], TftpIgnoreReason.TooShort, null },
        { new byte[1025], TftpIgnoreReason.TooLong, null },
        { [0, 0, 65, 0], TftpIgnoreReason.UnknownOpcode, null },
        { [1, 1, 65, 0], TftpIgnoreReason.UnknownOpcode, null },
        { [0, 3, 0, 1], TftpIgnoreReason.NotARequest, null },
        { [0, 4, 0, 1], TftpIgnoreReason.NotARequest, null },
        { [0, 5, 0, 1, 0], TftpIgnoreReason.NotARequest, null },
        { [0, 6, 65, 0, 65, 0], TftpIgnoreReason.NotARequest, null },
        { Bytes(2, "x\0octet\0"), TftpIgnoreReason.WriteRefused, TftpErrorCode.AccessViolation },
        { Bytes(1, "x"), TftpIgnoreReason.BadString, null },
        { Bytes(1, "x\0octet"), TftpIgnoreReason.BadString, null },
        { [0, 1, 0xc0, 0xaf, 0, .. "octet\0"u8], TftpIgnoreReason.BadString, null },
        { Bytes(1, "x\0octet\0blksize\0"), TftpIgnoreReason.BadString, null },
        { Bytes(1, "x\0octet\0blksize\0001432"), TftpIgnoreReason.BadString, null },
        { Bytes(1, "x\0mail\0"), TftpIgnoreReason.MailMode, TftpErrorCode.IllegalOperation },
        { Bytes(1, "x\0ebcdic\0"), TftpIgnoreReason.UnknownMode, TftpErrorCode.IllegalOperation },
    };

    [Theory]
    [MemberData(nameof(Refusals))]
    public void Gives_the_reason_and_tells_the_client_only_when_it_helps(byte[] packet, TftpIgnoreReason reason, TftpErrorCode? code)
    {
        Assert.False(TftpRequestParser.TryParse(packet, out _, out var defect));
        Assert.Equal((reason, code), (defect.Reason, defect.Code));
    }

    [Fact]
    public void Mode_is_read_in_any_case_and_padding_is_no_option()
    {
        Assert.True(TftpRequestParser.TryParse(Bytes(1, "x\0NetASCII\0\0\0\0"), out var request, out _));
        Assert.True(request.Netascii);
        Assert.Empty(request.Options);
    }
}
