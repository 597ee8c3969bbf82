using System.Net;
using ImageForge.NetBoot.Tftp;

namespace ImageForge.NetBoot.Tests.Tftp;

public sealed class TftpAgreementTests
{
    private static readonly TftpServerOptions Limits = new(IPAddress.Loopback, 0) { MaxBlockSize = 1468, MaxWindowSize = 32 };

    private static TftpAgreement Negotiate(out int refused, params (string, string)[] options) =>
        TftpAgreement.Negotiate(new TftpRequest("x", false, [.. options.Select(o => new KeyValuePair<string, string>(o.Item1, o.Item2))]), 1000, Limits, out refused);

    [Fact]
    public void Without_options_it_is_plain_rfc_1350()
    {
        var agreement = Negotiate(out _);
        Assert.Equal((512, 1, null, 0), (agreement.BlockSize, agreement.WindowSize, agreement.Timeout, agreement.Acknowledged.Count));
    }

    [Fact]
    public void Sizes_are_lowered_to_what_we_allow_and_timeout_is_taken_as_it_is()
    {
        var agreement = Negotiate(out var refused, ("tsize", "0"), ("blksize", "65464"), ("windowsize", "100"), ("timeout", "7"), ("multicast", ""));
        Assert.Equal((1468, 32, TimeSpan.FromSeconds(7)), (agreement.BlockSize, agreement.WindowSize, agreement.Timeout));
        Assert.Equal([new("tsize", 1000), new("blksize", 1468), new("windowsize", 32), new("timeout", 7)], agreement.Acknowledged);
        Assert.Equal(0, refused);
    }

    [Theory]
    [InlineData("blksize", "7")]
    [InlineData("blksize", "65465")]
    [InlineData("blksize", "-512")]
    [InlineData("blksize", "1e3")]
    [InlineData("blksize", "99999999999999999999")]
    [InlineData("windowsize", "0")]
    [InlineData("windowsize", "65536")]
    [InlineData("timeout", "0")]
    [InlineData("timeout", "256")]
    [InlineData("tsize", "")]
    public void A_value_outside_its_rfc_is_left_out_and_counted(string name, string value)
    {
        var agreement = Negotiate(out var refused, (name, value));
        Assert.Empty(agreement.Acknowledged);
        Assert.Equal((512, 1, 1), (agreement.BlockSize, agreement.WindowSize, refused));
    }

    [Fact]
    public void An_option_given_twice_counts_once() =>
        Assert.Equal([new("blksize", 1024)], Negotiate(out _, ("blksize", "1024"), ("blksize", "8")).Acknowledged);
}
