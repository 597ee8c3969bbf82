using System.Net;
using ImageForge.Server.BootServices;

namespace ImageForge.Server.Tests.BootServices;

public sealed class BootServiceSettingsRulesTests
{
    private static readonly BootInterface Eth = new("eth0", IPAddress.Parse("10.20.0.1"), IPAddress.Parse("255.255.255.0"), 2);

    [Theory]
    [InlineData("10.20.0.50", "10.20.0.60", null, null)]
    [InlineData("10.20.0.50", "10.20.0.50", "10.20.0.254", null)]
    [InlineData(null, "10.20.0.60", null, "pool")]
    [InlineData("10.20.0.60", "10.20.0.50", null, "pool")]
    [InlineData("10.20.0.50", "10.20.1.60", null, "pool")]
    [InlineData("fe80::1", "fe80::2", null, "pool")]
    [InlineData("10.20.0.50", "10.20.0.60", "10.21.0.1", "gateway")]
    public void A_pool_must_fit_the_interface(string? first, string? last, string? gateway, string? code) =>
        Assert.Equal(code, BootServiceSettingsRules.Pool(new BootServiceSettings("eth0", DhcpMode.Full, first, last, gateway), Eth)?.Code);

    [Fact]
    public void A_name_server_must_be_an_address() =>
        Assert.Equal("dns", BootServiceSettingsRules.Pool(new BootServiceSettings("eth0", DhcpMode.Full, "10.20.0.5", "10.20.0.6", Dns: ["dns.example"]), Eth)?.Code);

    [Fact]
    public void An_interface_that_is_not_there_is_refused_with_those_that_are()
    {
        var fault = BootServiceSettingsRules.Check(new BootServiceSettings("nope0"));
        Assert.Equal("interface", fault?.Code);
        Assert.Contains("lo", fault!.Sentence, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(10, "")]
    [InlineData(3600, "new")]
    public void Odd_values_are_refused(int lease, string version) =>
        Assert.NotNull(BootServiceSettingsRules.Check(new BootServiceSettings(null, LeaseSeconds: lease, ChainloadIpxeOlderThan: version)));

    [Fact]
    public void Off_is_always_good() => Assert.Null(BootServiceSettingsRules.Check(new BootServiceSettings(null)));
}
