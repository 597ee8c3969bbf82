using ImageForge.Server.Configuration;

namespace ImageForge.Server.Boot;

/// <param name="Step">What fetching it is called in the boot timeline.</param>
internal sealed record BootFile(string Name, string Path, string Step, string Cure);

/// <summary>The files a machine may fetch while it boots, by their fixed names; no name from a request ever becomes a path.</summary>
internal sealed class BootFiles
{
    private const string LiveCure = "build the live image with ./forge live, or set ImageForge:LiveImageFolder";
    private const string IpxeCure = "fetch the iPXE files with ./forge up, or set ImageForge:BootFilesFolder";

    private readonly Dictionary<string, BootFile> _files;

    public BootFiles(ServerOptions options)
    {
        var live = Path.GetFullPath(options.LiveImagePath);
        var ipxe = Path.GetFullPath(options.BootFilesPath);
        Folder = ipxe;
        BootFile[] files =
        [
            new("vmlinuz", Path.Combine(live, "vmlinuz"), "kernel", LiveCure),
            new("initrd.img", Path.Combine(live, "initrd.img"), "initrd", LiveCure),
            new("undionly.kpxe", Path.Combine(ipxe, "undionly.kpxe"), "ipxe", IpxeCure),
            new("snponly.efi", Path.Combine(ipxe, "snponly.efi"), "ipxe", IpxeCure),
            new("ipxe.efi", Path.Combine(ipxe, "ipxe.efi"), "ipxe", IpxeCure),
        ];
        _files = files.ToDictionary(f => f.Name, StringComparer.Ordinal);
    }

    /// <summary>Holds the iPXE binaries; the root of TFTP.</summary>
    public string Folder { get; }

    public BootFile? Find(string name) => _files.GetValueOrDefault(name);

    /// <summary>True when the file is there now.</summary>
    public bool Has(string name) => Find(name) is { } file && File.Exists(file.Path);
}
