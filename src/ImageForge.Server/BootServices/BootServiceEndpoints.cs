using ImageForge.Server.Access;
using ImageForge.Server.Errors;
using ImageForge.Server.Events;
using ImageForge.Server.Hosts;
using Microsoft.AspNetCore.Http.HttpResults;

namespace ImageForge.Server.BootServices;

internal sealed record BootServicesView(BootServiceSettings Settings, IReadOnlyList<BootServiceStatus> Services);

/// <summary><c>/api/v1/boot-services</c>: what runs, the settings, and start, stop, restart of each.</summary>
internal static class BootServiceEndpoints
{
    public static void MapBootServiceEndpoints(this WebApplication app)
    {
        var group = app.MapGroup("/api/v1/boot-services").WithTags("Boot services");
        group.MapGet("/", List).RequireAuthorization(Scopes.Read)
            .WithSummary("The settings and the state of each boot service, with its counters.");
        group.MapPut("/settings", ChangeAsync).RequireAuthorization(Scopes.Admin)
            .WithSummary("Replaces the settings and runs by them at once; interface null switches everything off.");
        group.MapPost("/{name}/{action}", ActAsync).RequireAuthorization(Scopes.Admin)
            .WithSummary("start, stop or restart one service: proxyDhcp, dhcp or tftp.");
    }

    private static Ok<BootServicesView> List(BootServicesService services) => TypedResults.Ok(View(services));

    private static async Task<Results<Ok<BootServicesView>, ProblemHttpResult>> ChangeAsync(
        BootServiceSettings settings, HttpContext context, BootServicesService services, CancellationToken cancellationToken)
    {
        settings = settings with { Interface = string.IsNullOrWhiteSpace(settings.Interface) ? null : settings.Interface.Trim() };
        if (BootServiceSettingsRules.Check(settings) is { } fault)
            return Problems.BadRequest(fault.Code, fault.Sentence, fault.Cure);
        await services.ChangeAsync(settings, By(context), cancellationToken);
        return TypedResults.Ok(View(services));
    }

    private static async Task<Results<Ok<BootServiceStatus>, ProblemHttpResult>> ActAsync(
        string name, string action, HttpContext context, BootServicesService services, EventLog events, CancellationToken cancellationToken)
    {
        if (services.Find(name) is not { } service)
            return Problems.NotFound("noSuchService", $"There is no boot service \"{DeviceText.Limit(name)}\".", "They are called proxyDhcp, dhcp and tftp.");
        if (action is not ("start" or "stop" or "restart"))
            return Problems.NotFound("noSuchAction", $"A boot service cannot \"{DeviceText.Limit(action)}\".", "The actions are start, stop and restart.");
        if (action != "stop" && services.MayStart(service) is { } fault)
            return Problems.Conflict(fault.Code, fault.Sentence, fault.Cure);
        await events.RecordAsync("bootServices", name, $"{By(context)}: {action} {name}", cancellationToken);
        await (action switch
        {
            "start" => service.StartAsync(services.Settings, cancellationToken),
            "stop" => service.StopAsync("It was stopped by hand; it starts again with the server.", cancellationToken),
            _ => service.RestartAsync(services.Settings, cancellationToken),
        });
        return TypedResults.Ok(service.Status);
    }

    private static BootServicesView View(BootServicesService services) => new(services.Settings, [.. services.All.Select(s => s.Status)]);

    private static string By(HttpContext context) => context.User.Identity?.Name ?? "an administrator";
}
