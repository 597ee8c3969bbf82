using System.Security.Cryptography;
using ImageForge.Server.Configuration;

namespace ImageForge.Server.Data;

/// <summary>The folder that holds everything the server keeps; nothing in it is readable by others.</summary>
internal sealed class DataFolder
{
    private const UnixFileMode OwnerOnlyFolder = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const UnixFileMode OwnerOnlyFile = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly Lock _secrets = new();

    public DataFolder(ServerOptions options)
    {
        Root = Path.GetFullPath(options.DataFolder);
        try
        {
            Directory.CreateDirectory(Root, OwnerOnlyFolder);
            // An empty folder was made for us. One with other things in it keeps its mode (--data-folder /tmp must not lock
            // the machine out of /tmp); what we put there is 0600 and 0700 by itself.
            if (!Directory.EnumerateFileSystemEntries(Root).Any())
                File.SetUnixFileMode(Root, OwnerOnlyFolder);
            var probe = Path.Combine(Root, ".write-test");
            WritePrivate(probe, []);
            File.Delete(probe);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StartUpException(
                $"The data folder {Root} is not writable by {Environment.UserName} ({e.Message}); run `sudo install -d -m 700 -o {Environment.UserName} {Root}`, or choose another with --data-folder.", e);
        }
    }

    public string Root { get; }

    public string DatabaseFile => Path.Combine(Root, "imageforge.db");

    /// <summary>The path of a sub-folder, created 0700.</summary>
    public string Folder(string name)
    {
        var path = Path.Combine(Root, name);
        Directory.CreateDirectory(path, OwnerOnlyFolder);
        return path;
    }

    /// <summary>A random secret kept in <c>secrets/name</c> (0600), made at first use.</summary>
    public byte[] Secret(string name, int bytes = 32)
    {
        lock (_secrets)
        {
            var path = Path.Combine(Folder("secrets"), name);
            if (!File.Exists(path))
                WritePrivate(path, RandomNumberGenerator.GetBytes(bytes));
            return File.ReadAllBytes(path);
        }
    }

    /// <summary>Writes a 0600 file so that a reader sees either nothing or all of it.</summary>
    public static void WritePrivate(string path, ReadOnlySpan<byte> content)
    {
        var temporary = path + ".new";
        using (var file = new FileStream(temporary, new FileStreamOptions
        {
            Mode = FileMode.Create,
            Access = FileAccess.Write,
            UnixCreateMode = OwnerOnlyFile,
        }))
        {
            file.Write(content);
            file.Flush(flushToDisk: true);
        }
        File.Move(temporary, path, overwrite: true);
    }
}
