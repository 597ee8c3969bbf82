using ImageForge.Server.Access;
using ImageForge.Server.Data;

namespace ImageForge.Server.Events;

internal static class EventsFeature
{
    public static void AddEvents(this WebApplicationBuilder builder) => builder.Services.AddSingleton<EventLog>();

    public static void MapEvents(this WebApplication app) =>
        app.MapApi("events").WithTags("Events").MapGet("", static (int? offset, int? limit, EventLog events, CancellationToken cancellationToken) =>
            events.ListAsync(Paging.Of(offset, limit), cancellationToken));
}
