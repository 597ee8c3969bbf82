using ImageForge.Server.Configuration;
using ImageForge.Server.Data;

namespace ImageForge.Server.Tests.Data;

public sealed class DataFolderModeTests : IDisposable
{
    private const UnixFileMode Everybody = (UnixFileMode)0b111_111_111;
    private readonly string _folder = Directory.CreateTempSubdirectory("imageforge-mode-").FullName;

    [Fact]
    public void A_new_and_an_empty_folder_become_the_owners_alone()
    {
        File.SetUnixFileMode(_folder, Everybody);
        _ = new DataFolder(new ServerOptions { DataFolder = _folder });
        _ = new DataFolder(new ServerOptions { DataFolder = _folder + "/new" });
        Assert.Equal((UnixFileMode)0b111_000_000, File.GetUnixFileMode(_folder));
        Assert.Equal((UnixFileMode)0b111_000_000, File.GetUnixFileMode(_folder + "/new"));
    }

    [Fact]
    public void A_folder_that_others_use_keeps_its_mode()
    {
        File.WriteAllText(_folder + "/somebody's", "x");
        File.SetUnixFileMode(_folder, Everybody);
        _ = new DataFolder(new ServerOptions { DataFolder = _folder });
        Assert.Equal(Everybody, File.GetUnixFileMode(_folder));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
