using System.Numerics;
using Dapper;
using ImageForge.Contracts;
using ImageForge.Server.Data;
using ImageForge.Server.Hosts;
using ImageForge.Server.Images;
using Microsoft.Data.Sqlite;

namespace ImageForge.Server.Jobs;

/// <summary>Takes orders: checks that a job can be done and writes it with its host tasks, all or nothing.</summary>
internal sealed class JobDesk(Database database, JobStore jobs, HostStore hosts, HostTaskStore tasks, DeployForesight foresight, TimeProvider time)
{
    public const int MaxHosts = 5000;

    /// <param name="idempotencyKey">Null: none was given.</param>
    public async Task<OrderOutcome> OrderAsync(CreateJobRequest request, string by, string? idempotencyKey, CancellationToken cancellationToken)
    {
        var key = idempotencyKey is null ? null : $"{by}\n{idempotencyKey}";
        var hash = request.Hash();
        if (CheckForm(request) is { } malformed)
            return malformed;
        var (chosen, unfit) = await ChooseHostsAsync(request.Hosts, cancellationToken);
        return await database.WriteAsync(async (connection, transaction) =>
        {
            // First: a repeated order finds its hosts busy with itself.
            if (key is not null && await FindRepeatedAsync(connection, transaction, key, hash, cancellationToken) is { } repeated)
                return repeated;
            if (unfit is not null)
                return unfit;
            var version = request.Kind == JobKind.Deploy ? await ImageCatalog.FindSealedAsync(connection, transaction, request.Image!, request.Version) : null;
            if (request.Kind == JobKind.Deploy && version is null)
                return new OrderOutcome(null, false, NoSuchImage(request));
            foreach (var host in chosen)
            {
                if (HostTaskStore.FindActive(transaction, host.Id) is { } busy)
                    return OrderOutcome.Refused(RefusalKind.Conflict, "hostBusy",
                        $"{host.Name} still has task {busy.Id} of job {busy.JobId}.", $"Wait for it or cancel it: POST /api/v1/jobs/{busy.JobId}/cancel.");
            }
            var parameters = new JobParameters(request.After, request.ChunkSize ?? 0, request.Level ?? 0, DeviceText.Limit(request.Disk),
                request.Image, version?.Number, request.ReadBack ?? true, request.Capture, request.Deploy, request.DryRun, request.Multicast);
            var now = time.NowMilliseconds();
            var id = await connection.ExecuteScalarAsync<long>(
                """
                INSERT INTO jobs (kind, image_id, image_version_id, parameters, created_at, created_by, idempotency_key, request_hash)
                VALUES (@kind, @ImageId, @VersionId, @parameters, @now, @by, @key, @hash) RETURNING id
                """,
                new { kind = StoredName.Of(request.Kind), version?.ImageId, version?.VersionId, parameters = parameters.ToJson(), now, by, key, hash },
                transaction);
            foreach (var host in chosen)
                await tasks.QueueAsync(transaction, id, host.Id, $"Ordered by {by}");
            return new OrderOutcome(new Job(id, request.Kind, request.Image, version?.ImageId, version?.VersionId, version?.Number, parameters, now.ToTime(), by), false, null);
        }, cancellationToken);
    }

    /// <summary>What <see cref="OrderAsync"/> would lead to, host by host; nothing is ordered.</summary>
    public async Task<ForecastOutcome> ForeseeAsync(CreateJobRequest request, CancellationToken cancellationToken)
    {
        if (CheckForm(request) is { } malformed)
            return new ForecastOutcome(null, malformed.Refusal);
        if (request.Kind != JobKind.Deploy)
            return new ForecastOutcome(null, Invalid("badPlan", "Only a deploy has a plan.", "Give \"kind\": \"deploy\".").Refusal);
        var (chosen, unfit) = await ChooseHostsAsync(request.Hosts, cancellationToken);
        return unfit is not null ? new ForecastOutcome(null, unfit.Refusal) : await foresight.ForeseeAsync(request, chosen, cancellationToken);
    }

    internal static Refusal NoSuchImage(CreateJobRequest request) => new(RefusalKind.NotFound, "noSuchImage",
        request.Version is { } number ? $"There is no sealed version {number} of image {request.Image}." : $"There is no image {request.Image} with a sealed version.",
        "List the images with GET /api/v1/images, or capture one first.");

    /// <summary>Null: there is no such job. Else what became of each task.</summary>
    public async Task<IReadOnlyList<CancelOutcome>?> CancelAsync(long jobId, string by, CancellationToken cancellationToken)
    {
        if (await jobs.FindAsync(jobId, cancellationToken) is null)
            return null;
        var ids = (await tasks.ListForJobAsync(jobId, cancellationToken)).Select(t => t.Id).ToList();
        return await database.WriteAsync(async (_, transaction) =>
        {
            var outcomes = new List<CancelOutcome>();
            foreach (var id in ids)
                outcomes.Add(await tasks.CancelAsync(id, by, cancellationToken, transaction));
            return outcomes;
        }, cancellationToken);
    }

    private async Task<OrderOutcome?> FindRepeatedAsync(SqliteConnection connection, SqliteTransaction transaction, string key, byte[] hash, CancellationToken cancellationToken)
    {
        var earlier = (await connection.QueryAsync<(long Id, byte[] Hash)>(
            "SELECT id, request_hash FROM jobs WHERE idempotency_key = @key", new { key }, transaction)).FirstOrDefault();
        if (earlier.Id == 0)
            return null;
        return earlier.Hash.AsSpan().SequenceEqual(hash)
            ? new OrderOutcome(await jobs.FindAsync(earlier.Id, cancellationToken), true, null)
            : OrderOutcome.Refused(RefusalKind.Conflict, "idempotencyKeyUsed", $"This Idempotency-Key made job {earlier.Id} from another request.", "Use a new key for a new order.");
    }

    private async Task<(IReadOnlyList<Host> Hosts, OrderOutcome? Unfit)> ChooseHostsAsync(IReadOnlyList<string> macs, CancellationToken cancellationToken)
    {
        var chosen = new Dictionary<long, Host>();
        foreach (var text in macs)
        {
            if (!MacAddress.TryParse(text, out var mac))
                return ([], OrderOutcome.Refused(RefusalKind.Invalid, "badMac", $"\"{DeviceText.Limit(text)}\" is not a MAC address.", "Write it as 3c:ec:ef:4c:4f:54."));
            if (await hosts.FindByMacAsync(mac, cancellationToken) is not { } host)
                return ([], OrderOutcome.Refused(RefusalKind.NotFound, "noSuchHost", $"No host has the MAC address {mac}.", "Enter it with POST /api/v1/hosts, or switch the machine on with network boot."));
            if (host.State != HostState.Approved)
                return ([], OrderOutcome.Refused(RefusalKind.Conflict, "hostNotApproved", $"{host.Name} ({mac}) was discovered, but nobody approved it.", $"Approve it: POST /api/v1/hosts/{mac}/approve."));
            chosen[host.Id] = host;
        }
        return ([.. chosen.Values], null);
    }

    private static OrderOutcome? CheckForm(CreateJobRequest request)
    {
        if (request.Hosts.Count is 0 or > MaxHosts)
            return Invalid("badHosts", $"A job is for 1 to {MaxHosts} hosts.", "Give \"hosts\": [\"3c:ec:ef:4c:4f:54\"].");
        if (request.Kind == JobKind.Capture && request.Hosts.Count != 1)
            return Invalid("badHosts", "A capture is of one host.", "Order one capture for each host.");
        if (request.Kind != JobKind.Capture && request.Capture is not null)
            return Invalid("badCapture", "\"capture\" says how a capture is made, and this job is none.", "Leave it out.");
        if (request.Kind == JobKind.Inventory)
            return request is { Image: null, Version: null, Disk: null } ? DeployChoicesForm.Problem(request) ?? MulticastForm.Problem(request) : Invalid("badInventory", "An inventory needs neither image nor disk.", "Leave image, version and disk out.");
        if (!ImageName.IsValid(request.Image))
            return Invalid("badImage", "An image's name has 1 to 64 letters, digits, spaces, dots, dashes or underscores and begins with a letter or digit.", "Give \"image\": \"debian-12\".");
        if (request.Kind == JobKind.Capture && request.Version is not null)
            return Invalid("badVersion", "A capture makes the next version by itself.", "Leave version out.");
        if (request.Version is <= 0)
            return Invalid("badVersion", "Versions begin with 1.", "Leave version out for the current one.");
        if (request.ChunkSize is { } size && (!BitOperations.IsPow2(size) || size is < 64 << 10 or > 16 << 20))
            return Invalid("badChunkSize", "chunkSize is a power of two from 65536 to 16777216.", "Leave it out: the agent chooses by what is on the disk.");
        if (request.Level is < 1 or > 19)
            return Invalid("badLevel", "level is 1 to 19.", "Leave it out: the agent adapts it to processor and network.");
        return CaptureChoicesForm.Problem(request) ?? DeployChoicesForm.Problem(request) ?? MulticastForm.Problem(request);
    }

    private static OrderOutcome Invalid(string code, string sentence, string cure) => OrderOutcome.Refused(RefusalKind.Invalid, code, sentence, cure);
}
