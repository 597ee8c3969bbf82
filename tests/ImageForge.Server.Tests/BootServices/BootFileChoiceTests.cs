using System.Net;
using ImageForge.Contracts;
using ImageForge.NetBoot.ProxyDhcp;
using ImageForge.NetBoot.Pxe;
using ImageForge.Server.Boot;
using ImageForge.Server.BootServices;
using ImageForge.Server.Configuration;
using ImageForge.Server.Tests.Boot;
using BootFile = ImageForge.NetBoot.ProxyDhcp.BootFile;

namespace ImageForge.Server.Tests.BootServices;

public sealed class BootFileChoiceTests : IDisposable
{
    private const string Script = "tftp://10.0.0.1/boot.ipxe";

    private static readonly MacAddress Mac = MacAddress.Parse("52:54:00:aa:bb:01");

    private readonly SteppedClock _clock = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("imageforge-boot-files-").FullName;
    private readonly ChainloadOnce _once;

    public BootFileChoiceTests()
    {
        _once = new ChainloadOnce(_clock);
        foreach (var name in new[] { "undionly.kpxe", "snponly.efi" })
            File.WriteAllText(Path.Combine(_folder, name), name);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private BootAnswer Answer(BootClient client, int? tftpPort = 69, string? olderThan = "1.21.1")
    {
        var files = new BootFiles(new ServerOptions { DataFolder = _folder, BootFilesFolder = _folder, LiveImageFolder = _folder });
        IpxeVersion? limit = olderThan is not null && IpxeVersion.TryParse(olderThan, out var version) ? version : null;
        return new BootFileChoice(new BootFilePlaces(IPAddress.Parse("10.0.0.1"), 8080, tftpPort), files, limit, _once).Answer(client);
    }

    private static BootClient Firmware(ClientArchitecture architecture, bool http = false) => new(Mac) { Architecture = architecture, IsHttp = http };

    private static BootClient Ipxe(string? version, ClientArchitecture architecture = ClientArchitecture.Bios, bool http = true) => new(Mac)
    {
        Architecture = architecture,
        IsIpxe = true,
        IpxeHasHttp = http,
        IpxeVersion = IpxeVersion.TryParse(version, out var parsed) ? parsed : null,
    };

    [Theory]
    [InlineData(ClientArchitecture.Bios, false, "undionly.kpxe")]
    [InlineData(ClientArchitecture.X64, false, "snponly.efi")]
    [InlineData(ClientArchitecture.X64Alternate, false, "snponly.efi")]
    [InlineData(ClientArchitecture.X64Http, true, "http://10.0.0.1:8080/boot/files/snponly.efi")]
    public void Firmware_gets_the_file_of_its_architecture(ClientArchitecture architecture, bool http, string file) =>
        Assert.Equal(new BootFile(file), Answer(Firmware(architecture, http)));

    [Theory]
    [InlineData(ClientArchitecture.Ia32, "UEFI IA32")]
    [InlineData(ClientArchitecture.Arm64, "UEFI ARM64")]
    [InlineData(ClientArchitecture.Arm64Http, "UEFI ARM64 HTTP")]
    [InlineData((ClientArchitecture)77, "architecture 77")]
    public void An_architecture_without_a_file_is_named_in_the_reason(ClientArchitecture architecture, string name) =>
        Assert.Contains(name, Assert.IsType<NoBootFile>(Answer(Firmware(architecture, architecture.IsHttp()))).Reason, StringComparison.Ordinal);

    [Fact]
    public void A_file_that_is_not_installed_is_named_with_the_cure()
    {
        File.Delete(Path.Combine(_folder, "undionly.kpxe"));
        var reason = Assert.IsType<NoBootFile>(Answer(Firmware(ClientArchitecture.Bios))).Reason;
        Assert.Contains("undionly.kpxe is not in", reason, StringComparison.Ordinal);
        Assert.Contains("./forge", reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_current_ipxe_gets_the_script()
    {
        Assert.Equal(new BootFile(Script), Answer(Ipxe("1.21.1")));
        Assert.Equal(new BootFile(Script), Answer(Ipxe("1.22.0")));
    }

    [Theory]
    [InlineData("1.0.0", ClientArchitecture.Bios, "undionly.kpxe")]
    [InlineData("1.20.1", ClientArchitecture.X64, "snponly.efi")]
    [InlineData(null, ClientArchitecture.X64, "snponly.efi")]
    public void An_old_ipxe_gets_ours_once_and_then_the_script(string? version, ClientArchitecture architecture, string file)
    {
        var old = Ipxe(version, architecture);
        Assert.Equal(new BootFile(file), Answer(old));
        _clock.Advance(1);
        Assert.Equal(new BootFile(file), Answer(old));   // the REQUEST of the same exchange
        // Debian's own build says 1.0.0 of itself: without an end to it this would go on for ever.
        for (var i = 0; i < 20; i++)
        {
            _clock.Advance(4);
            Assert.Equal(new BootFile(Script), Answer(old));
        }
        _clock.Advance(120);
        Assert.Equal(new BootFile(file), Answer(old));   // another boot
    }

    [Fact]
    public void The_ipxe_that_firmware_was_just_given_gets_the_script_whatever_it_says()
    {
        Answer(Firmware(ClientArchitecture.X64));
        _clock.Advance(0.5);
        Assert.Equal(new BootFile(Script), Answer(Ipxe("1.0.0", ClientArchitecture.X64)));
    }

    [Fact]
    public void An_ipxe_without_http_is_replaced_even_if_its_version_is_good() =>
        Assert.Equal(new BootFile("undionly.kpxe"), Answer(Ipxe("1.21.1", http: false)));

    [Fact]
    public void Chainloading_can_be_switched_off() => Assert.Equal(new BootFile(Script), Answer(Ipxe("1.0.0"), olderThan: "0"));

    [Fact]
    public void An_old_ipxe_for_which_there_is_no_file_gets_the_script() =>
        Assert.Equal(new BootFile(Script), Answer(Ipxe("1.0.0", ClientArchitecture.Arm64)));

    [Fact]
    public void Without_tftp_everything_that_understands_a_url_goes_by_http()
    {
        Assert.Equal(new BootFile("http://10.0.0.1:8080/boot.ipxe"), Answer(Ipxe("1.21.1"), tftpPort: null));
        Assert.Contains("TFTP", Assert.IsType<NoBootFile>(Answer(Firmware(ClientArchitecture.Bios), tftpPort: null)).Reason, StringComparison.Ordinal);
        Assert.Equal(new BootFile("tftp://10.0.0.1:6969/boot.ipxe"), Answer(Ipxe("1.21.1"), tftpPort: 6969));
    }

    [Theory]
    [InlineData("""{"ipxeVersion":"1.21.1","files":[]}""", "1.21.1")]
    [InlineData("""{"ipxeVersion":7}""", null)]
    [InlineData("[]", null)]
    [InlineData("{", null)]
    [InlineData(null, null)]
    public void The_version_of_our_own_files_comes_from_their_list(string? json, string? version)
    {
        if (json is not null)
            File.WriteAllText(Path.Combine(_folder, "boot-files.json"), json);
        Assert.Equal(version, BootFileManifest.ReadIpxeVersion(_folder)?.ToString());
    }
}
