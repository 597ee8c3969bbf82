using System.Collections.Concurrent;
using Microsoft.Data.Sqlite;

namespace ImageForge.Server.Data;

/// <summary>
/// Reads that are asked thousands of times a second: connections that keep their statements prepared. Parsing the SQL each time costs
/// several times what running it does.
/// </summary>
internal sealed class PreparedReads(Func<SqliteConnection> open) : IDisposable
{
    private readonly ConcurrentBag<Lease> _idle = [];
    private volatile bool _disposed;

    /// <summary>The first row, or null.</summary>
    /// <param name="sql">A constant with one parameter, <c>@key</c>.</param>
    public T? First<T>(string sql, object key, Func<SqliteDataReader, T> read) where T : class
    {
        if (!_idle.TryTake(out var lease))
            lease = new Lease(open());
        try
        {
            var command = lease.Command(sql);
            command.Parameters[0].Value = key;
            using var row = command.ExecuteReader();
            return row.Read() ? read(row) : null;
        }
        catch
        {
            // Whatever state it is in now, nobody else gets it.
            lease.Dispose();
            lease = null;
            throw;
        }
        finally
        {
            if (lease is not null && !_disposed)
                _idle.Add(lease);
            else
                lease?.Dispose();
        }
    }

    public void Dispose()
    {
        _disposed = true;
        while (_idle.TryTake(out var lease))
            lease.Dispose();
    }

    private sealed class Lease(SqliteConnection connection) : IDisposable
    {
        private readonly Dictionary<string, SqliteCommand> _commands = new(StringComparer.Ordinal);

        public SqliteCommand Command(string sql)
        {
            if (!_commands.TryGetValue(sql, out var command))
            {
                command = connection.CreateCommand();
                command.CommandText = sql;
                command.Parameters.AddWithValue("@key", DBNull.Value);
                _commands.Add(sql, command);
            }
            return command;
        }

        public void Dispose()
        {
            foreach (var command in _commands.Values)
                command.Dispose();
            connection.Dispose();
        }
    }
}
