using ImageForge.Server.Configuration;
using Microsoft.Data.Sqlite;

namespace ImageForge.Server.Tests.Configuration;

/// <summary>Faults that a test cannot bring about on every machine, by the exception they show themselves as.</summary>
public sealed class ExplainTests
{
    private static readonly ServerOptions Options = new() { DataFolder = "/var/lib/imageforge" };

    [Fact]
    public void A_missing_sqlite_library_names_the_package() =>
        Assert.Contains("apt-get install libsqlite3-0", StartUp.Explain(new TypeInitializationException("x", new DllNotFoundException("e_sqlite3")), Options), StringComparison.Ordinal);

    [Fact]
    public void A_full_disk_is_said_to_be_full() =>
        Assert.Contains("is full", StartUp.Explain(new SqliteException("database or disk is full", 13), Options), StringComparison.Ordinal);

    [Fact]
    public void A_folder_of_another_user_comes_with_the_command_that_gives_it_over() =>
        Assert.Contains("sudo install -d", StartUp.Explain(new UnauthorizedAccessException(), Options), StringComparison.Ordinal);

    [Fact]
    public void A_fault_of_ours_is_not_explained_away() => Assert.Null(StartUp.Explain(new InvalidOperationException("bug"), Options));
}
