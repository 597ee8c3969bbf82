using System.Security.Cryptography;
using ImageForge.Server.Configuration;

namespace ImageForge.Server.Data;

/// <summary>The folder that holds everything the server keeps; nothing in it is readable by others.</summary>
internal sealed class DataFolder
{
    private const UnixFileMode OwnerOnlyFolder = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const UnixFileMode OwnerOnlyFile = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    public DataFolder(ServerOptions options)
    {
        Root = Path.GetFullPath(options.DataFolder);
        Directory.CreateDirectory(Root, OwnerOnlyFolder);
        // A folder someone made beforehand keeps its mode otherwise.
        File.SetUnixFileMode(Root, OwnerOnlyFolder);
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
        var path = Path.Combine(Folder("secrets"), name);
        if (!File.Exists(path))
            WritePrivate(path, RandomNumberGenerator.GetBytes(bytes));
        return File.ReadAllBytes(path);
    }

    /// <summary>Writes a 0600 file so that a reader sees either nothing or all of it.</summary>
    public static void WritePrivate(string path, ReadOnlySpan<byte> content)
    {
        var temporary = path + ".new";
        using (var file = new FileStream(temporary, new FileStreamOptions
        {
            Mode = FileMode.Create, Access = FileAccess.Write, UnixCreateMode = OwnerOnlyFile,
        }))
        {
            file.Write(content);
            file.Flush(flushToDisk: true);
        }
        File.Move(temporary, path, overwrite: true);
    }
}
