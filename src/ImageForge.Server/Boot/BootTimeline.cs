using System.Threading.Channels;
using Dapper;
using ImageForge.Contracts;
using ImageForge.Server.Data;
using ImageForge.Server.Hosts;

namespace ImageForge.Server.Boot;

/// <summary>One step of one machine's way from power-on to check-in.</summary>
/// <param name="Step">lowerCamel: dhcp, tftp, script, kernel, initrd, checkIn …</param>
/// <param name="Millis">How long the step took, where that is known.</param>
internal sealed record BootEvent(long Id, DateTimeOffset At, string Step, string Detail, long? Bytes, long? Millis);

/// <summary>
/// What was seen of each machine while it booted. Recording never blocks and may drop under a flood (counted): a request must not
/// wait for the disk. Written in batches by <see cref="TimelineWriterService"/>.
/// </summary>
internal sealed class BootTimeline(Database database, TimeProvider time)
{
    public const int KeptPerMac = 200;
    private const int CutEvery = 50;
    public const int KeptInAll = 200_000;

    private readonly Channel<Pending> _queue = Channel.CreateBounded<Pending>(new BoundedChannelOptions(20_000)
    {
        SingleReader = true,
        FullMode = BoundedChannelFullMode.Wait,
    });

    private readonly Dictionary<MacAddress, int> _sinceCut = [];
    private long _dropped;

    /// <summary>Steps not recorded because the queue was full.</summary>
    public long Dropped => Interlocked.Read(ref _dropped);

    public void Record(MacAddress mac, string step, string detail, long? bytes = null, long? millis = null)
    {
        if (!mac.IsUsable)
            return;
        if (!_queue.Writer.TryWrite(new Pending(mac, time.NowMilliseconds(), step, DeviceText.Limit(detail) ?? "", bytes, millis)))
            Interlocked.Increment(ref _dropped);
    }

    /// <summary>Oldest first.</summary>
    public async Task<IReadOnlyList<BootEvent>> ListAsync(MacAddress mac, long? after, int limit, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        var rows = await connection.QueryAsync<(long Id, long At, string Step, string Detail, long? Bytes, long? Millis)>(
            """
            SELECT id, at, step, detail, bytes, millis FROM (
                SELECT * FROM boot_events WHERE mac = @mac AND id > @after ORDER BY id DESC LIMIT @limit) ORDER BY id
            """, new { mac = mac.ToString(), after = after ?? 0, limit });
        return [.. rows.Select(r => new BootEvent(r.Id, r.At.ToTime(), r.Step, r.Detail, r.Bytes, r.Millis))];
    }

    /// <summary>Waits for steps and writes those that are there, at most <paramref name="most"/>, in one transaction.</summary>
    internal async Task WriteBatchAsync(int most, CancellationToken cancellationToken)
    {
        if (!await _queue.Reader.WaitToReadAsync(cancellationToken))
            return;
        var batch = new List<Pending>();
        while (batch.Count < most && _queue.Reader.TryRead(out var step))
            batch.Add(step);
        await database.WriteAsync(async (connection, transaction) =>
        {
            await using var insert = connection.CreateCommand();
            insert.Transaction = transaction;
            insert.CommandText = "INSERT INTO boot_events (mac, at, step, detail, bytes, millis) VALUES (@mac, @at, @step, @detail, @bytes, @millis)";
            string[] names = ["@mac", "@at", "@step", "@detail", "@bytes", "@millis"];
            var values = names.Select(n => insert.Parameters.AddWithValue(n, DBNull.Value)).ToArray();
            foreach (var step in batch)
            {
                values[0].Value = step.Mac.ToString();
                values[1].Value = step.At;
                values[2].Value = step.Step;
                values[3].Value = step.Detail;
                values[4].Value = (object?)step.Bytes ?? DBNull.Value;
                values[5].Value = (object?)step.Millis ?? DBNull.Value;
                insert.ExecuteNonQuery();
            }
            // MACs can be made up: neither one of them nor all together may fill the disk.
            foreach (var mac in Due(batch))
                await connection.ExecuteAsync(
                    "DELETE FROM boot_events WHERE mac = @mac AND id <= (SELECT id FROM boot_events WHERE mac = @mac ORDER BY id DESC LIMIT 1 OFFSET @kept)",
                    new { mac = mac.ToString(), kept = KeptPerMac }, transaction);
            await connection.ExecuteAsync("DELETE FROM boot_events WHERE id <= (SELECT max(id) FROM boot_events) - @kept", new { kept = KeptInAll }, transaction);
        }, cancellationToken);
    }

    /// <summary>The MACs with enough new steps to be worth cutting back. Called by the one writer only.</summary>
    private List<MacAddress> Due(List<Pending> batch)
    {
        var due = new List<MacAddress>();
        // Forgetting the counts costs a few more rows, which the limit in all catches.
        if (_sinceCut.Count > 20_000)
            _sinceCut.Clear();
        foreach (var step in batch)
        {
            var count = _sinceCut[step.Mac] = _sinceCut.GetValueOrDefault(step.Mac) + 1;
            if (count < CutEvery)
                continue;
            _sinceCut.Remove(step.Mac);
            due.Add(step.Mac);
        }
        return due;
    }

    private sealed record Pending(MacAddress Mac, long At, string Step, string Detail, long? Bytes, long? Millis);
}
