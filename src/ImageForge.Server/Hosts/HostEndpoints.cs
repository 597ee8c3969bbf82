using ImageForge.Contracts;
using ImageForge.Server.Access;
using ImageForge.Server.Boot;
using ImageForge.Server.Data;
using ImageForge.Server.Errors;
using ImageForge.Server.Events;
using ImageForge.Server.ImageStore;
using ImageForge.Server.Jobs;
using Microsoft.AspNetCore.Http.HttpResults;

namespace ImageForge.Server.Hosts;

internal sealed record CreateHostRequest(string Name, IReadOnlyList<string> Macs, string? LocalBoot = null);

/// <summary>What is absent stays as it is; <c>localBoot: ""</c> goes back to the default.</summary>
internal sealed record ChangeHostRequest(string? Name = null, string? LocalBoot = null);

/// <param name="Tasks">The latest ten, newest first.</param>
internal sealed record HostDetail(Host Host, Inventory? Inventory, IReadOnlyList<HostTaskView> Tasks);

/// <summary><c>/api/v1/hosts</c>: the machines, found by any of their MACs.</summary>
internal static class HostEndpoints
{
    public static void Map(IEndpointRouteBuilder app)
    {
        var group = app.MapApi("hosts").WithTags("Hosts");
        group.MapGet("", List).Produces<Page<Host>>().ProducesProblem(400);
        group.MapGet("{mac}", Get).Produces<HostDetail>().ProducesProblem(404);
        group.MapPost("", Create).RequireAuthorization(Scopes.Operate).Produces<Host>(201).ProducesProblem(400).ProducesProblem(409);
        group.MapPatch("{mac}", Change).RequireAuthorization(Scopes.Operate).Produces<Host>().ProducesProblem(400).ProducesProblem(404);
        group.MapPost("{mac}/approve", Approve).RequireAuthorization(Scopes.Operate).Produces<Host>().ProducesProblem(404);
        group.MapDelete("{mac}", Delete).RequireAuthorization(Scopes.Operate).Produces(204).ProducesProblem(404).ProducesProblem(409);
    }

    private static async Task<IResult> List(string? state, int? offset, int? limit, HostStore hosts, CancellationToken cancellationToken)
    {
        HostState? wanted = null;
        if (state is not null)
        {
            if (!StoredName.TryParse<HostState>(state, out var parsed))
                return Problems.BadRequest("badState", $"\"{DeviceText.Limit(state)}\" is not a host's state.", $"Use one of: {StoredName.All<HostState>()}.");
            wanted = parsed;
        }
        return TypedResults.Ok(await hosts.ListAsync(wanted, Paging.Of(offset, limit), cancellationToken));
    }

    private static async Task<IResult> Get(string mac, HostStore hosts, HostTaskStore tasks, HostTaskViews views, CancellationToken cancellationToken)
    {
        var (host, problem) = await FindAsync(mac, hosts, cancellationToken);
        if (host is null)
            return problem!;
        var latest = await tasks.ListForHostAsync(host.Id, 10, cancellationToken);
        return TypedResults.Ok(new HostDetail(host, await hosts.FindInventoryAsync(host.Id, cancellationToken), [.. latest.Select(t => views.Of(t, host))]));
    }

    private static async Task<IResult> Create(CreateHostRequest request, HttpContext context, HostStore hosts, EventLog events, CancellationToken cancellationToken)
    {
        if (DeviceText.Limit(request.Name) is not { } name)
            return BadName();
        if (request.Macs.Count is 0 or > 32)
            return Problems.BadRequest("badMac", "A host has 1 to 32 MAC addresses.", "Give \"macs\": [\"3c:ec:ef:4c:4f:54\"].");
        var macs = new List<MacAddress>();
        foreach (var text in request.Macs)
        {
            if (!MacAddress.TryParse(text, out var mac) || !mac.IsUsable)
                return BadMac(text);
            macs.Add(mac);
        }
        if (!IsLocalBoot(request.LocalBoot))
            return BadLocalBoot();
        var (change, host) = await hosts.CreateAsync(name, macs, request.LocalBoot is "" ? null : request.LocalBoot, cancellationToken);
        if (change == HostChange.MacTaken)
            return Problems.Conflict("macTaken", "One of these MAC addresses belongs to another host.", "Find it with GET /api/v1/hosts/{mac}.");
        await events.RecordAsync("hostCreated", host!.Name, $"{context.User.NameOf()} entered {host.Name}", cancellationToken);
        return TypedResults.Created($"/api/v1/hosts/{host.Macs[0]}", host);
    }

    private static async Task<IResult> Change(string mac, ChangeHostRequest request, HostStore hosts, CancellationToken cancellationToken)
    {
        var (host, problem) = await FindAsync(mac, hosts, cancellationToken);
        if (host is null)
            return problem!;
        if (!IsLocalBoot(request.LocalBoot))
            return BadLocalBoot();
        if (request.Name is not null)
        {
            if (DeviceText.Limit(request.Name) is not { } name)
                return BadName();
            await hosts.RenameAsync(host.Id, name, cancellationToken);
        }
        if (request.LocalBoot is { } localBoot)
            await hosts.SetLocalBootAsync(host.Id, localBoot.Length == 0 ? null : localBoot, cancellationToken);
        return TypedResults.Ok(await hosts.FindAsync(host.Id, cancellationToken));
    }

    private static async Task<IResult> Approve(string mac, HttpContext context, HostStore hosts, EventLog events, CancellationToken cancellationToken)
    {
        var (host, problem) = await FindAsync(mac, hosts, cancellationToken);
        if (host is null)
            return problem!;
        if (host.State != HostState.Approved)
        {
            await hosts.ApproveAsync(host.Id, cancellationToken);
            await events.RecordAsync("hostApproved", host.Macs[0].ToString(), $"{context.User.NameOf()} approved {host.Name}", cancellationToken);
        }
        return TypedResults.Ok(await hosts.FindAsync(host.Id, cancellationToken));
    }

    private static async Task<IResult> Delete(
        string mac, HttpContext context, HostStore hosts, Database database, BootTokens bootTokens, ChunkLeases leases, EventLog events, CancellationToken cancellationToken)
    {
        var (host, problem) = await FindAsync(mac, hosts, cancellationToken);
        if (host is null)
            return problem!;
        var forgotten = await database.WriteAsync(async (_, transaction) =>
        {
            if (!await HostTaskStore.ForgetHostAsync(host.Id, bootTokens, leases, transaction, cancellationToken))
                return false;
            await hosts.DeleteAsync(host.Id, cancellationToken, transaction);
            await events.RecordAsync("hostDeleted", host.Macs[0].ToString(), $"{context.User.NameOf()} deleted {host.Name}", cancellationToken, transaction);
            return true;
        }, cancellationToken);
        return forgotten ? TypedResults.NoContent()
            : Problems.Conflict("hostBusy", $"{host.Name} has an unfinished task.", "Cancel its job first.");
    }

    private static async Task<(Host? Host, ProblemHttpResult? Problem)> FindAsync(string text, HostStore hosts, CancellationToken cancellationToken)
    {
        if (!MacAddress.TryParse(text, out var mac))
            return (null, BadMac(text));
        return await hosts.FindByMacAsync(mac, cancellationToken) is { } host ? (host, null)
            : (null, Problems.NotFound("noSuchHost", $"No host has the MAC address {mac}.", "List the hosts with GET /api/v1/hosts, or switch the machine on with network boot."));
    }

    private static bool IsLocalBoot(string? value) => LocalBootMethod.TryParse(value, out _);

    private static ProblemHttpResult BadLocalBoot() =>
        Problems.BadRequest("badLocalBoot", "localBoot is not a way to boot the local disk.", $"Give one of: {LocalBootMethod.Forms}; \"\" for the default.");

    private static ProblemHttpResult BadMac(string text) =>
        Problems.BadRequest("badMac", $"\"{DeviceText.Limit(text)}\" is not a MAC address.", "Write it as 3c:ec:ef:4c:4f:54.");

    private static ProblemHttpResult BadName() =>
        Problems.BadRequest("badName", "A host's name has 1 to 128 characters.", "Give another name.");
}
