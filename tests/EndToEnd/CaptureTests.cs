using System.Text.RegularExpressions;
using ImageForge.Lab;

namespace ImageForge.EndToEnd;

public sealed class CaptureTests
{
    [Fact]
    public async Task A_bios_machine_is_captured_through_proxy_dhcp_beside_a_dhcp_server_that_knows_nothing_of_us()
    {
        var captured = await CapturedImage.GetAsync();
        Measured.Write("power-on to check-in, BIOS through proxyDHCP (TCG)", $"{captured.CheckInSeconds:0.0} s");

        Assert.Contains("DHCPACK", captured.SiteDhcpLog, StringComparison.Ordinal);
        Assert.DoesNotContain("bootfile name", captured.SiteDhcpLog, StringComparison.Ordinal);
        Assert.True(captured.SourceUnchanged, "the capture changed the source disk");
        Assert.Equal("gpt", (string?)captured.Version["partitionScheme"]);
        Assert.Equal(
            ["unknown", "fat32", "ext4", "ntfs"],
            captured.Version["volumes"]!.AsArray().Select(volume => (string?)volume!["fileSystem"]));
    }

    [Fact]
    public async Task Only_used_blocks_are_stored()
    {
        var captured = await CapturedImage.GetAsync();
        var summary = captured.Version["version"]!;
        var (used, stored) = ((long)summary["usedBytes"]!, (long)summary["storedBytes"]!);
        Measured.Write("captured disk", $"{used >> 20} MiB used of {(long)summary["diskBytes"]! >> 20} MiB, {stored >> 20} MiB stored");

        // The partitions hold about 140 MiB; the disk is 1 GiB.
        Assert.InRange(used, 100L << 20, 200L << 20);
        Assert.True(stored < used, $"{stored} bytes stored for {used} used");
    }

    [Fact]
    public async Task The_agent_stays_within_120_MiB_on_a_machine_with_1_GiB()
    {
        var captured = await CapturedImage.GetAsync();
        var peak = int.Parse(Regex.Match(captured.Console, @"peak memory (\d+) MiB").Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture);
        Measured.Write("agent's peak memory during a capture", $"{peak} MiB");
        Assert.InRange(peak, 1, 120);
    }
}
