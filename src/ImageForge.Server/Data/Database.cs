using System.Runtime.CompilerServices;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace ImageForge.Server.Data;

/// <summary>
/// The SQLite database: many readers through pooled connections, one writer at a time. Times are Unix milliseconds.
/// </summary>
internal sealed class Database : IDisposable
{
    private readonly string _connectionString;
    private readonly SemaphoreSlim _writer = new(1, 1);

    // The pool hands the same native handle out again; its pragmas are set once, not at each opening.
    private readonly ConditionalWeakTable<sqlite3, object> _prepared = [];

    public Database(DataFolder folder)
    {
        SqliteLibrary.Use();
        _connectionString = new SqliteConnectionStringBuilder
        {
            DataSource = folder.DatabaseFile,
            Mode = SqliteOpenMode.ReadWriteCreate,
            Cache = SqliteCacheMode.Private,
            Pooling = true,
        }.ToString();
        Prepared = new PreparedReads(Open);
    }

    /// <summary>For the few reads that are asked thousands of times a second.</summary>
    public PreparedReads Prepared { get; }

    /// <summary>A pooled connection for reading; dispose it soon. Writes go through <see cref="WriteAsync"/>.</summary>
    public ValueTask<SqliteConnection> OpenAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return ValueTask.FromResult(Open());
    }

    /// <summary>
    /// Runs <paramref name="work"/> inside BEGIN IMMEDIATE, alone among writers; commits when it returns and rolls back when it throws.
    /// Not reentrant: work that writes through another store passes its transaction on.
    /// </summary>
    public async Task<T> WriteAsync<T>(Func<SqliteConnection, SqliteTransaction, Task<T>> work, CancellationToken cancellationToken)
    {
        await _writer.WaitAsync(cancellationToken);
        try
        {
            await using var connection = Open();
            return await CommitAsync(connection, work);
        }
        finally
        {
            _writer.Release();
        }
    }

    /// <summary>
    /// As <see cref="WriteAsync{T}(Func{SqliteConnection, SqliteTransaction, Task{T}}, CancellationToken)"/>, and on the disk when it returns, with
    /// everything written before it: for what somebody is told and acts upon.
    /// </summary>
    public async Task<T> WriteDurablyAsync<T>(Func<SqliteConnection, SqliteTransaction, Task<T>> work, CancellationToken cancellationToken)
    {
        await _writer.WaitAsync(cancellationToken);
        try
        {
            await using var connection = Open();
            // With NORMAL a commit is not synced; with FULL the log is, after the commit (sqlite.org/pragma.html#pragma_synchronous).
            raw.sqlite3_exec(connection.Handle, "PRAGMA synchronous=FULL");
            try
            {
                return await CommitAsync(connection, work);
            }
            finally
            {
                // The pool hands this connection out again.
                raw.sqlite3_exec(connection.Handle, "PRAGMA synchronous=NORMAL");
            }
        }
        finally
        {
            _writer.Release();
        }
    }

    public Task WriteAsync(Func<SqliteConnection, SqliteTransaction, Task> work, CancellationToken cancellationToken) =>
        WriteAsync<bool>(async (connection, transaction) =>
        {
            await work(connection, transaction);
            return true;
        }, cancellationToken);

    /// <summary>Joins the caller's transaction when there is one, else opens its own.</summary>
    public Task<T> WriteAsync<T>(SqliteTransaction? joined, Func<SqliteConnection, SqliteTransaction, Task<T>> work, CancellationToken cancellationToken) =>
        joined is null ? WriteAsync(work, cancellationToken) : work(joined.Connection!, joined);

    public void Dispose()
    {
        Prepared.Dispose();
        SqliteConnection.ClearPool(new SqliteConnection(_connectionString));
        _writer.Dispose();
    }

    private static async Task<T> CommitAsync<T>(SqliteConnection connection, Func<SqliteConnection, SqliteTransaction, Task<T>> work)
    {
        await using var transaction = connection.BeginTransaction();
        try
        {
            var result = await work(connection, transaction);
            transaction.Commit();
            return result;
        }
        catch
        {
            // A full disk ends the transaction inside SQLite (sqlite.org/lang_transaction.html §3.1); the rollback of the binding
            // would then fail and hide the reason. Give it something to roll back.
            if (raw.sqlite3_get_autocommit(connection.Handle) != 0)
                raw.sqlite3_exec(connection.Handle, "BEGIN");
            throw;
        }
    }

    private SqliteConnection Open()
    {
        var connection = new SqliteConnection(_connectionString);
        try
        {
            connection.Open();
            if (!_prepared.TryGetValue(connection.Handle!, out _))
            {
                using var pragmas = connection.CreateCommand();
                pragmas.CommandText = "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA busy_timeout=10000; PRAGMA foreign_keys=ON;";
                pragmas.ExecuteNonQuery();
                _prepared.AddOrUpdate(connection.Handle!, this);
            }
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }
}
