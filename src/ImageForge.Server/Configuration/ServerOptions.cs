namespace ImageForge.Server.Configuration;

/// <summary>What start-up needs to know, section <c>ImageForge</c>. Behaviour is not configured here.</summary>
internal sealed class ServerOptions
{
    public const string Section = "ImageForge";

    /// <summary>Database, certificate, secrets, chunks. Created 0700 when missing.</summary>
    public string DataFolder { get; set; } = "/var/lib/imageforge";

    public PortOptions Http { get; set; } = new() { Port = 8080 };

    public PortOptions Https { get; set; } = new() { Port = 8443 };

    /// <summary>Address to listen on; null or empty: every address of the machine, IPv4 and IPv6.</summary>
    public string? ListenAddress { get; set; }

    /// <summary>Holds <c>vmlinuz</c>, <c>initrd.img</c>, <c>live-image.json</c>. Null: <c>live</c> beside the program, else in the data folder.</summary>
    public string? LiveImageFolder { get; set; }

    /// <summary>Holds the iPXE binaries and <c>boot-files.json</c>. Null: <c>boot-files</c> beside the program, else in the data folder.</summary>
    public string? BootFilesFolder { get; set; }

    /// <summary>Holds the iPXE templates. Null: <c>ipxe-scripts</c> beside the program.</summary>
    public string? ScriptsFolder { get; set; }

    /// <summary>Holds the pages. Null: <c>wwwroot</c> beside the program.</summary>
    public string? WebFolder { get; set; }

    public string LiveImagePath => Choose(LiveImageFolder, "live");

    public string BootFilesPath => Choose(BootFilesFolder, "boot-files");

    public string ScriptsPath => ScriptsFolder ?? Path.Combine(AppContext.BaseDirectory, "ipxe-scripts");

    public string WebPath => WebFolder ?? Path.Combine(AppContext.BaseDirectory, "wwwroot");

    private string Choose(string? configured, string name)
    {
        if (!string.IsNullOrEmpty(configured))
            return configured;
        var beside = Path.Combine(AppContext.BaseDirectory, name);
        return Directory.Exists(beside) ? beside : Path.Combine(DataFolder, name);
    }
}

internal sealed class PortOptions
{
    /// <summary>0 lets the operating system choose; tests do.</summary>
    public int Port { get; set; }
}
