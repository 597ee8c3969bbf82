namespace ImageForge.Lab;

/// <summary>Where things are in the working copy this program was built from.</summary>
public static class Repository
{
    public static string Top { get; } = FindTop();

    public static string Build => Path.Combine(Top, "build");

    /// <summary>Cached source disks and the logs of machines, below the build folder.</summary>
    public static string LabFolder => Directory.CreateDirectory(Path.Combine(Build, "lab")).FullName;

    public static string LogFolder => Directory.CreateDirectory(Path.Combine(LabFolder, "logs")).FullName;

    public static string LiveImage => Needed("live", "initrd.img");

    public static string BootFiles => Needed("boot-files", "boot-files.json");

    public static string Server => Needed("server", "ImageForge.Server.dll");

    private static string Needed(string folder, string file)
    {
        var path = Path.Combine(Build, folder);
        return File.Exists(Path.Combine(path, file))
            ? path
            : throw new LabException($"build/{folder}/{file} is missing; `./forge test EndToEnd` builds it first");
    }

    private static string FindTop()
    {
        for (var folder = AppContext.BaseDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
            if (File.Exists(Path.Combine(folder, "ImageForge.sln")))
                return folder;
        throw new LabException($"no ImageForge.sln above {AppContext.BaseDirectory}");
    }
}

/// <summary>The lab itself could not do what a test asked for.</summary>
public sealed class LabException(string message, Exception? inner = null) : Exception(message, inner);
