using System.Net;
using ImageForge.NetBoot.ProxyDhcp;
using ImageForge.NetBoot.Pxe;
using ImageForge.Server.Boot;
using BootFile = ImageForge.NetBoot.ProxyDhcp.BootFile;

namespace ImageForge.Server.BootServices;

/// <summary>Where the boot files are served from.</summary>
/// <param name="TftpPort">Null: TFTP is off, so scripts and files go by URL.</param>
internal sealed record BootFilePlaces(IPAddress Server, int HttpPort, int? TftpPort)
{
    public string Http(string path) => $"http://{Server}:{HttpPort}/{path}";

    public string Tftp(string path) => TftpPort is 69 ? $"tftp://{Server}/{path}" : $"tftp://{Server}:{TftpPort}/{path}";
}

/// <summary>
/// Which file a machine gets: iPXE for its firmware, and once iPXE runs, the first script. The script goes by TFTP where it can, because
/// TFTP keeps answering when HTTP does not, and the script knows how to reach the disk.
/// </summary>
/// <param name="chainloadOlderThan">Null: every iPXE gets the script.</param>
internal sealed class BootFileChoice(BootFilePlaces places, BootFiles files, IpxeVersion? chainloadOlderThan, ChainloadOnce once) : IBootPolicy
{
    public BootAnswer Answer(BootClient client)
    {
        if (client.IsIpxe && !(IsOld(client) && File(client) is BootFile && once.TryChainload(client.Mac)))
            return new BootFile(places.TftpPort is null ? places.Http("boot.ipxe") : places.Tftp("boot.ipxe"));
        var answer = File(client);
        if (!client.IsIpxe && answer is BootFile)
            once.Given(client.Mac);
        return answer;
    }

    private bool IsOld(BootClient client) =>
        // Without HTTP the script cannot ask anything.
        !client.IpxeHasHttp || (chainloadOlderThan is { } limit && (client.IpxeVersion is not { } version || version < limit));

    private BootAnswer File(BootClient client) => client.Architecture switch
    {
        ClientArchitecture.Bios => ByTftp("undionly.kpxe", client),
        ClientArchitecture.X64 or ClientArchitecture.X64Alternate when !client.IsHttp => ByTftp("snponly.efi", client),
        ClientArchitecture.X64 or ClientArchitecture.X64Alternate or ClientArchitecture.X64Http => ByHttp("snponly.efi"),
        null when client.IsIpxe => new NoBootFile("this iPXE does not say its architecture, so no newer one can be chosen"),
        { } other => new NoBootFile($"no boot file for {other.Describe()} is installed; only BIOS and UEFI x64 are served"),
        null => new NoBootFile("the machine does not say its architecture"),
    };

    private BootAnswer ByTftp(string name, BootClient client) =>
        !files.Has(name) ? Missing(name)
        : places.TftpPort is 69 ? new BootFile(name)
        // A plain name means port 69 to every client; iPXE alone understands a URL.
        : client.IsIpxe ? new BootFile(places.TftpPort is null ? places.Http($"boot/files/{name}") : places.Tftp(name))
        : places.TftpPort is not null ? new BootFile(name)
        : new NoBootFile($"{name} is asked for by TFTP, and the TFTP service is off; switch it on in the boot service settings");

    private BootAnswer ByHttp(string name) => files.Has(name) ? new BootFile(places.Http($"boot/files/{name}")) : Missing(name);

    private NoBootFile Missing(string name) => new($"{name} is not in {files.Folder}; {files.Find(name)!.Cure}");
}
