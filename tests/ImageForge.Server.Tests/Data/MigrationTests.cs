using Dapper;
using ImageForge.Server.Configuration;
using ImageForge.Server.Data;

namespace ImageForge.Server.Tests.Data;

public sealed class MigrationTests
{
    [Fact]
    public async Task A_second_start_applies_nothing_and_keeps_what_is_there()
    {
        await using var server = await TestServer.StartAsync();
        var before = await AppliedAsync(server);
        await server.Get<Database>().WriteAsync((connection, transaction) =>
            connection.ExecuteAsync("INSERT INTO settings (key, value) VALUES ('kept', 'yes')", transaction: transaction), CancellationToken.None);
        server.Clock.Advance(TimeSpan.FromDays(1));
        await server.RestartAsync();
        Assert.NotEmpty(before);
        Assert.Equal(before, await AppliedAsync(server));
        await using var connection = await server.Get<Database>().OpenAsync(CancellationToken.None);
        Assert.Equal("yes", await connection.ExecuteScalarAsync<string>("SELECT value FROM settings WHERE key = 'kept'"));
    }

    [Fact]
    public async Task A_database_of_a_newer_program_is_refused_with_a_sentence_and_not_touched()
    {
        await using var server = await TestServer.StartAsync();
        await server.Get<Database>().WriteAsync((connection, transaction) =>
            connection.ExecuteAsync("INSERT INTO schema_migrations (number, name, applied_at) VALUES (9999, '9999_future', 0)", transaction: transaction), CancellationToken.None);
        var refused = await Assert.ThrowsAsync<StartUpException>(() => server.Get<Migrations>().ApplyAsync(CancellationToken.None));
        Assert.Contains("newer ImageForge", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_row_that_points_at_another_is_guarded()
    {
        await using var server = await TestServer.StartAsync();
        await Assert.ThrowsAsync<Microsoft.Data.Sqlite.SqliteException>(() => server.Get<Database>().WriteAsync((connection, transaction) =>
            connection.ExecuteAsync("INSERT INTO host_macs (mac, host_id) VALUES ('52:54:00:00:00:01', 4711)", transaction: transaction), CancellationToken.None));
    }

    private static async Task<IReadOnlyList<(long, string, long)>> AppliedAsync(TestServer server)
    {
        await using var connection = await server.Get<Database>().OpenAsync(CancellationToken.None);
        return [.. await connection.QueryAsync<(long, string, long)>("SELECT number, name, applied_at FROM schema_migrations ORDER BY number")];
    }
}
