using ImageForge.Server.Access;
using ImageForge.Server.BootServices;
using ImageForge.Server.Errors;
using Microsoft.AspNetCore.Http.HttpResults;

namespace ImageForge.Server.Multicasting;

/// <param name="Interface">That a session would send on now; null: where the route leads.</param>
/// <param name="Groups">The range in force.</param>
/// <param name="FragmentBytes">Of an image in each packet, by the MTU.</param>
/// <param name="Batch">As far as one call can carry it.</param>
internal sealed record MulticastEffect(string? Interface, string Groups, int FragmentBytes, int Batch);

internal sealed record MulticastSettingsView(MulticastSettings Settings, MulticastEffect Effect);

/// <summary><c>/api/v1/multicast/settings</c>.</summary>
internal static class MulticastSettingsEndpoints
{
    public static void MapMulticastSettings(this WebApplication app)
    {
        var group = app.MapApi("multicast/settings").WithTags("Multicast");
        group.MapGet("", GetAsync).WithSummary("How multicast sessions send.");
        group.MapPut("", ChangeAsync).RequireAuthorization(Scopes.Admin)
            .WithSummary("Replaces the settings: the bandwidth at once, the rest for senders that begin later.");
    }

    private static async Task<Ok<MulticastSettingsView>> GetAsync(MulticastSettingsDesk desk, BootServicesService boot, CancellationToken cancellationToken) =>
        TypedResults.Ok(View(await desk.GetAsync(cancellationToken), boot));

    private static async Task<Results<Ok<MulticastSettingsView>, ProblemHttpResult>> ChangeAsync(
        MulticastSettings settings, HttpContext context, MulticastSettingsDesk desk, SessionDesk sessions, BootServicesService boot, CancellationToken cancellationToken)
    {
        settings = settings with
        {
            Interface = string.IsNullOrWhiteSpace(settings.Interface) ? null : settings.Interface.Trim(),
            Groups = string.IsNullOrWhiteSpace(settings.Groups) ? null : settings.Groups.Trim(),
        };
        if (MulticastSettingsRules.Check(settings, SendInterface.Chosen(settings, boot.Settings)) is { } fault)
            return Problems.BadRequest(fault.Code, fault.Sentence, fault.Cure);
        await desk.ChangeAsync(settings, context.User.NameOf(), cancellationToken);
        await sessions.ShareAsync(CancellationToken.None);
        return TypedResults.Ok(View(settings, boot));
    }

    private static MulticastSettingsView View(MulticastSettings settings, BootServicesService boot) =>
        new(settings, new MulticastEffect(SendInterface.Chosen(settings, boot.Settings)?.Name, settings.GroupsOrDefault, settings.FragmentBytes, settings.BatchThatFits));
}
