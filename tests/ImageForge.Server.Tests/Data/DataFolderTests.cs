using ImageForge.Server.Data;

namespace ImageForge.Server.Tests.Data;

public sealed class DataFolderTests(ServerFixture fixture) : IClassFixture<ServerFixture>
{
    [Fact]
    public void A_secret_is_made_once_and_is_for_the_owner_only()
    {
        var folder = fixture.Server.Get<DataFolder>();
        var first = folder.Secret("test-secret");
        Assert.Equal(32, first.Length);
        Assert.Equal(first, folder.Secret("test-secret"));
        Assert.NotEqual(first, folder.Secret("another-secret"));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(folder.Root, "secrets", "test-secret")));
    }

    [Fact]
    public void Ten_threads_that_ask_first_get_the_same_secret()
    {
        var folder = fixture.Server.Get<DataFolder>();
        var secrets = new byte[10][];
        Parallel.For(0, 10, new ParallelOptions { MaxDegreeOfParallelism = 10 }, i => secrets[i] = folder.Secret("raced"));
        Assert.All(secrets, s => Assert.Equal(secrets[0], s));
    }
}
