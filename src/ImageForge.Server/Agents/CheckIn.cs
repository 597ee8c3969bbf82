using System.Text.Json;
using ImageForge.Contracts;
using ImageForge.Server.Boot;
using ImageForge.Server.Data;
using ImageForge.Server.Hosts;
using ImageForge.Server.Images;
using ImageForge.Server.Jobs;
using ImageForge.Server.Multicasting;
using Microsoft.Data.Sqlite;

namespace ImageForge.Server.Agents;

/// <summary>
/// Exchanges a boot token for a task token. Everything happens in one transaction: a server killed in the middle has either taken the
/// agent in or not, and the agent's repeated request gets the same answer.
/// </summary>
internal sealed class CheckIn(
    Database database, BootTokens bootTokens, TaskTokens taskTokens, HostTaskStore tasks, JobStore jobs, HostStore hosts, ImageVersions versions,
    CheckInRecords records, AgentSessions sessions, TaskDisks taskDisks, SessionOffers multicast, MulticastSettingsDesk multicastSettings)
{
    /// <param name="request">Its inventory is already limited (<see cref="InventoryLimits"/>).</param>
    public async Task<CheckInAnswer> RunAsync(CheckInRequest request, CancellationToken cancellationToken)
    {
        var answer = await database.WriteAsync<CheckInAnswer>(async (connection, transaction) =>
        {
            var redeemed = await bootTokens.RedeemAsync(request.BootToken, request.Nonce, cancellationToken, transaction);
            if (redeemed.Outcome != TokenOutcome.Ok)
                return CheckInRefusals.OfToken(redeemed);
            var token = taskTokens.Derive(request.BootToken, request.Nonce);
            if (await tasks.FindAsync(redeemed.TaskId, cancellationToken) is not { } task || await jobs.FindAsync(task.JobId, cancellationToken) is not { } job
                || await hosts.FindAsync(task.HostId, cancellationToken) is not { } host)
                return CheckInRefusals.TaskGone(redeemed.Mac);
            if (redeemed.Replay && await CheckInRecords.FindAsync(connection, transaction, request.BootToken) is { } record)
                return await RepeatAsync(task, host, redeemed.Mac, token, record, cancellationToken);
            return await TakeInAsync(connection, transaction, request, redeemed.Mac, task, job, host, token, cancellationToken);
        }, cancellationToken);
        if (answer is CheckInAnswer.Accepted accepted)
            sessions.Forget(accepted.Response.Task.TaskId);
        return answer;
    }

    private async Task<CheckInAnswer> RepeatAsync(
        HostTask task, Host host, MacAddress mac, string token, CheckInRecords.CheckInRecord record, CancellationToken cancellationToken)
    {
        // Another boot may have taken the task over since; its agent's token must not be handed out, and this one's is dead.
        var owner = await tasks.FindByTokenHashAsync(TaskTokens.Hash(token), cancellationToken);
        if (owner?.Id != task.Id)
            return CheckInRefusals.TakenOver(host, mac);
        var assignment = JsonSerializer.Deserialize(record.Assignment, AgentJson.Default.TaskAssignment)!;
        return new CheckInAnswer.Accepted(new CheckInResponse(token, assignment, record.Resumed), host, mac, Replay: true);
    }

    private async Task<CheckInAnswer> TakeInAsync(
        SqliteConnection connection, SqliteTransaction transaction, CheckInRequest request, MacAddress mac, HostTask task, Job job, Host host, string token,
        CancellationToken cancellationToken)
    {
        var inventory = request.Inventory;
        if (task.State.IsFinal())
            return CheckInRefusals.TaskEnded(task, mac);
        if (host.State != HostState.Approved)
            return CheckInRefusals.NotApproved(host, mac);
        // Since the token was minted the address may have been given to another record.
        if (!host.Macs.Contains(mac))
            return CheckInRefusals.OtherMac(host, mac, mac.ToString());
        if (!MacAddress.TryParse(request.Mac, out var told) || told != mac && !host.Macs.Contains(told))
            return CheckInRefusals.OtherMac(host, mac, request.Mac);
        // Overwriting the wrong machine cannot be undone; a capture only reads.
        var mustTell = task.Kind == JobKind.Deploy;
        if (HostIdentity.Mismatch(host, inventory, mustTell) is { } difference)
            return CheckInRefusals.OtherMachine(host, mac, difference);
        var resumed = task.StartedAt is not null;
        if (resumed && HostIdentity.Mismatch(host with { Uuid = task.CheckedInUuid, Serial = task.CheckedInSerial }, inventory, mustTell) is { } changed)
            return CheckInRefusals.OtherMachine(host, mac, changed);
        if (task.CancelRequested)
        {
            // The machine has restarted and nothing runs on it: that is the confirmation a cancel waits for.
            await tasks.ConfirmCancelAsync(task.Id, "The machine restarted after the task was cancelled", cancellationToken, transaction);
            return CheckInRefusals.Cancelled(mac);
        }
        var choice = await taskDisks.ChooseAsync(task.Kind, job, inventory.Disks, cancellationToken);
        if (choice is { AreChosen: false, Refusal: var refusal })
        {
            // No retry of this job can help: which disk it means must be said in the job.
            await tasks.FailAsync(task.Id, refusal!, cancellationToken, transaction);
            return CheckInRefusals.OfDisk(refusal!, host, mac);
        }
        var disk = choice?.Disks is { } chosen ? TaskDisks.Identity(chosen) : null;
        if (resumed && task.TargetDisk is { } before && disk is not null && disk != before)
            return CheckInRefusals.OtherDisk(host, mac, before, disk);

        var assignment = await AssignAsync(task, job, host, transaction, cancellationToken);
        if (assignment is null)
        {
            await tasks.FailAsync(task.Id, CheckInRefusals.VersionGone, cancellationToken, transaction);
            return new CheckInAnswer.Refused(StatusCodes.Status409Conflict, CheckInRefusals.VersionGone, host.Name, mac);
        }
        var outcome = await tasks.CheckInAsync(task.Id, TaskTokens.Hash(token), Known(inventory.Uuid), Known(inventory.Serial), disk, resumed, transaction, cancellationToken);
        if (outcome == CheckInOutcome.NoProgress)
            return CheckInRefusals.NoProgress(host, mac);
        if (outcome != CheckInOutcome.CheckedIn)
            return CheckInRefusals.TaskEnded(task, mac);
        await hosts.SaveInventoryAsync(host.Id, inventory, cancellationToken, transaction);
        await bootTokens.RevokeForTaskAsync(task.Id, request.BootToken, cancellationToken, transaction);
        await records.SaveAsync(connection, transaction, request.BootToken, task.Id,
            new CheckInRecords.CheckInRecord(resumed, JsonSerializer.Serialize(assignment, AgentJson.Default.TaskAssignment)));
        return new CheckInAnswer.Accepted(new CheckInResponse(token, assignment, resumed), host, mac, Replay: false);
    }

    /// <summary>Null: the version to deploy no longer exists.</summary>
    private async Task<TaskAssignment?> AssignAsync(HostTask task, Job job, Host host, SqliteTransaction transaction, CancellationToken cancellationToken)
    {
        var order = job.Parameters;
        CaptureAssignment? capture = null;
        DeployAssignment? deploy = null;
        if (task.Kind == JobKind.Capture)
            capture = new CaptureAssignment(job.ImageName!, order.ChunkSize, order.Level, order.Disk, order.Capture);
        if (task.Kind == JobKind.Deploy)
        {
            if (job.ImageVersionId is not { } id || await versions.FindAsync(id, cancellationToken) is not { } version)
                return null;
            var session = await multicast.FindOrBeginAsync(job, version, cancellationToken, transaction);
            deploy = new DeployAssignment(version.ImageName, version.Number, version.ManifestHash, order.Disk, order.ReadBack, order.Deploy, order.DryRun,
                session is null ? null : new MulticastOffer(session.Id, (await multicastSettings.GetAsync(cancellationToken)).PatienceSeconds));
        }
        return new TaskAssignment(task.Id, task.Kind, host.Name, order.After, capture, deploy);
    }

    private static string? Known(string? value) => HostIdentity.IsJunk(value) ? null : value;
}
