using ImageForge.Contracts;

namespace ImageForge.Agent.Tests;

public sealed class BootSessionTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private string StateFolder => _folder.File("state");

    private static readonly CheckInResponse s_response = new("task-token",
        new TaskAssignment(7, JobKind.Inventory, "pc-07", AfterTask.Reboot, null, null), false);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void One_boot_has_one_nonce_even_when_the_agent_starts_again()
    {
        var nonce = new BootSession(StateFolder).Nonce();

        Assert.Equal(43, nonce.Length);
        Assert.Equal(nonce, new BootSession(StateFolder).Nonce());
        Assert.NotEqual(nonce, new BootSession(_folder.File("another boot")).Nonce());
    }

    [Fact]
    public void A_kept_check_in_is_found_again_for_the_same_boot_token_only()
    {
        var session = new BootSession(StateFolder);
        Assert.Null(session.CheckedIn("boot"));
        session.Keep("boot", s_response);

        Assert.Equal(s_response, new BootSession(StateFolder).CheckedIn("boot"));
        Assert.Null(new BootSession(StateFolder).CheckedIn("another"));
    }

    [Fact]
    public void A_torn_file_counts_as_none()
    {
        var session = new BootSession(StateFolder);
        session.Keep("boot", s_response);
        File.WriteAllText(Path.Combine(StateFolder, "check-in.json"), "{\"BootToken\":\"bo");

        Assert.Null(session.CheckedIn("boot"));
    }

    [Fact]
    public void What_is_kept_is_readable_by_root_only()
    {
        new BootSession(StateFolder).Keep("boot", s_response);

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(StateFolder, "check-in.json")));
    }
}
