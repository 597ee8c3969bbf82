using System.Net;
using System.Net.NetworkInformation;
using ImageForge.Agent.Streams;
using ImageForge.Contracts;

namespace ImageForge.Agent.Tests.Streams;

public sealed class ListeningInterfaceTests
{
    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    public void Is_the_one_that_leads_to_the_server(string server)
    {
        var found = ListeningInterface.Find(new IPEndPoint(IPAddress.Parse(server), 8443), null);
        Assert.NotNull(found);
        Assert.Equal(("lo", NetworkInterface.LoopbackInterfaceIndex, false), (found.Name, found.Index, found.IsBootCard));
        Assert.Equal(IPAddress.Parse(server), found.Address);
        Assert.True(found.IsNear(IPAddress.Parse(server)));
    }

    [Fact]
    public void A_boot_card_that_is_not_there_changes_nothing() =>
        Assert.Equal("lo", ListeningInterface.Find(new IPEndPoint(IPAddress.Loopback, 8443), MacAddress.Parse("52:54:00:12:34:56"))?.Name);

    [Theory]
    [InlineData("10.0.3.7", 16, "10.0.0.1", true)]
    [InlineData("10.0.3.7", 24, "10.0.0.1", false)]
    [InlineData("10.0.3.7", 30, "10.0.3.6", true)]
    [InlineData("10.0.3.7", 30, "10.0.3.8", false)]
    [InlineData("10.0.3.7", 0, "10.0.3.8", null)]
    [InlineData("fd00::7", 64, "fd00::1", true)]
    [InlineData("fd00::7", 64, "10.0.0.1", null)]
    public void Tells_whether_the_server_is_in_its_network(string own, int prefix, string server, bool? near) =>
        Assert.Equal(near, new ListeningInterface("eth0", 2, IPAddress.Parse(own), prefix, true).IsNear(IPAddress.Parse(server)));
}
