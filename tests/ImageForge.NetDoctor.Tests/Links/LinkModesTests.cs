using ImageForge.NetDoctor.Findings;
using ImageForge.NetDoctor.Links;

namespace ImageForge.NetDoctor.Tests.Links;

/// <summary>Answers of ETHTOOL_GLINKSETTINGS, in host order: 48 bytes, then the masks supported, advertised, partner.</summary>
public sealed class LinkModesTests
{
    // 10/100/1000 card (supported 0x62ef: all twisted-pair modes to 1000, autonegotiation, TP), partner says the same up to 100 or 1000.
    private static byte[] Recorded(uint speed, byte duplex, byte autonegotiation, uint partner)
    {
        var bytes = new byte[48 + 3 * 4 * 2];
        BitConverter.TryWriteBytes(bytes, 0x4Cu);
        BitConverter.TryWriteBytes(bytes.AsSpan(4), speed);
        (bytes[8], bytes[11], bytes[15]) = (duplex, autonegotiation, 2);
        BitConverter.TryWriteBytes(bytes.AsSpan(48), 0x62EFu);
        BitConverter.TryWriteBytes(bytes.AsSpan(56), 0x62EFu);
        BitConverter.TryWriteBytes(bytes.AsSpan(64), partner);
        return bytes;
    }

    [Fact]
    public void A_gigabit_port_is_read() =>
        Assert.Equal(new LinkModes(1000, Duplex.Full, true, true), LinkModes.Parse(Recorded(1000, 1, 1, 0x41EF)));

    [Fact]
    public void A_broken_pair_is_told_from_a_slow_switch()
    {
        var cable = LinkModes.Parse(Recorded(100, 1, 1, 0x41EF));
        Assert.Equal(new LinkModes(100, Duplex.Full, true, true), cable);
        Assert.Contains("broken pair", Assert.Single(LinkCheck.Judge(Link(cable)), f => f.Code == "slowLink").Cure, StringComparison.Ordinal);
        var slow = LinkModes.Parse(Recorded(100, 0, 0, 0x004F));
        Assert.Equal(new LinkModes(100, Duplex.Half, false, false), slow);
        Assert.Equal(["halfDuplex", "slowLink"], LinkCheck.Judge(Link(slow)).Where(f => f.Severity == Severity.Problem).Select(f => f.Code));
    }

    [Fact]
    public void What_a_virtual_card_does_not_know_is_not_guessed()
    {
        Assert.Equal(new LinkModes(null, Duplex.Unknown, null, null), LinkModes.Parse([.. BitConverter.GetBytes(0x4Cu), 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, .. new byte[39]]));
        Assert.Equal([Severity.Note], LinkCheck.Judge(Link(new LinkModes(null, Duplex.Unknown, null, null))).Select(f => f.Severity));
    }

    [Fact]
    public void Errors_drops_and_a_signal_that_comes_and_goes_are_what_grew()
    {
        var before = Link(null, ("rx_crc_errors", 5), ("rx_dropped", 100), ("carrier_changes", 2));
        Assert.Equal("linkCounters", Assert.Single(LinkCheck.Judge(before, before, TimeSpan.FromSeconds(4))).Code);
        var after = Link(null, ("rx_crc_errors", 8), ("rx_dropped", 101), ("carrier_changes", 4));
        var found = LinkCheck.Judge(before, after, TimeSpan.FromSeconds(4)).ToDictionary(f => f.Code, f => f.Measured);
        Assert.Equal(new Dictionary<string, string> { ["linkFlaps"] = "2 changes in 4 s", ["linkErrors"] = "rx_crc_errors +3", ["linkDrops"] = "rx_dropped +1" }, found);
        Assert.Equal("interfaceVanished", Assert.Single(LinkCheck.Judge(before, null, TimeSpan.Zero)).Code);
    }

    private static LinkState Link(LinkModes? modes, params (string Name, long Value)[] counters) =>
        new("eth0", 7, true, true, true, false, 1500, modes, counters.ToDictionary(c => c.Name, c => c.Value));
}
