using System.Net;
using System.Text;
using ImageForge.NetBoot.Dhcp;
using ImageForge.NetBoot.Pxe;

namespace ImageForge.NetBoot.ProxyDhcp;

/// <summary>
/// The part of a reply that tells where the boot file is; the same in proxyDHCP and in the full server.
/// It goes out in every place a client may look: siaddr, sname and file, and options 66 and 67.
/// </summary>
internal static class BootOptions
{
    /// <summary>False when the name cannot be sent.</summary>
    public static bool TryAdd(ref DhcpPacket reply, DhcpPacket request, BootClient client, BootFile boot, IPAddress serverAddress)
    {
        var nextServer = boot.NextServer ?? serverAddress;
        var length = Encoding.UTF8.GetByteCount(boot.Name);
        // A URL may be longer than the file field; then option 67 alone carries it (up to what one option and UEFI hold).
        var fits = length <= DhcpPacketWriter.LongestFile;
        var isUrl = boot.Name.Contains("://", StringComparison.Ordinal);
        if (length is 0 or > 255 || (!fits && !isUrl))
            return false;

        reply = reply with
        {
            // An iPXE ROM takes ${next-server} from here; without it that is the site's DHCP server.
            NextServer = nextServer,
            ServerName = nextServer.ToString(),
            // iPXE 1.0 ignores a proxy offer without it, and shim takes its folder from it and not from option 67.
            File = fits ? boot.Name : "",
        };
        reply.Options.Set(DhcpOptionCode.TftpServerName, nextServer.ToString());
        reply.Options.Set(DhcpOptionCode.BootFileName, boot.Name);
        // RFC 4578 §2.3: echoed as it came, whatever it is.
        if (request.Options.Find(DhcpOptionCode.ClientMachineIdentifier) is { } identifier)
            reply.Options.Set(DhcpOptionCode.ClientMachineIdentifier, identifier);
        // UEFI HTTP boot takes no offer without it (UEFI 2.10 §24.7.3.1).
        if (client.IsHttp)
            reply.Options.Set(DhcpOptionCode.VendorClass, BootClientParser.HttpVendorClass);
        return true;
    }
}
