using Dapper;
using ImageForge.Server.Data;

namespace ImageForge.Server.Tests.Data;

public sealed class DatabaseTests(ServerFixture fixture) : IClassFixture<ServerFixture>
{
    [Fact]
    public async Task Every_connection_is_in_wal_mode_with_foreign_keys_also_when_it_comes_from_the_pool()
    {
        for (var i = 0; i < 3; i++)
        {
            await using var connection = await fixture.Server.Get<Database>().OpenAsync(CancellationToken.None);
            Assert.Equal("wal", await connection.ExecuteScalarAsync<string>("PRAGMA journal_mode"));
            Assert.Equal(1, await connection.ExecuteScalarAsync<int>("PRAGMA foreign_keys"));
            Assert.Equal(1, await connection.ExecuteScalarAsync<int>("PRAGMA synchronous"));
            Assert.Equal(10000, await connection.ExecuteScalarAsync<int>("PRAGMA busy_timeout"));
        }
    }

    [Fact]
    public void The_library_of_the_distribution_is_used_not_the_one_bundled_with_the_package() =>
        Assert.True(Version.Parse(SqliteLibrary.Use()) >= new Version(3, 40), SqliteLibrary.Use());

    [Fact]
    public async Task A_write_that_throws_leaves_nothing_behind()
    {
        var database = fixture.Server.Get<Database>();
        await Assert.ThrowsAsync<InvalidOperationException>(() => database.WriteAsync(async (connection, transaction) =>
        {
            await connection.ExecuteAsync("INSERT INTO settings (key, value) VALUES ('half', 'done')", transaction: transaction);
            throw new InvalidOperationException("stop");
        }, CancellationToken.None));
        await using var reading = await database.OpenAsync(CancellationToken.None);
        Assert.Equal(0, await reading.ExecuteScalarAsync<int>("SELECT count(*) FROM settings WHERE key = 'half'"));
    }
}
