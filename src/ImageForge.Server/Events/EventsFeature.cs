namespace ImageForge.Server.Events;

internal static class EventsFeature
{
    public static void AddEvents(this WebApplicationBuilder builder) => builder.Services.AddSingleton<EventLog>();

    public static void MapEvents(this WebApplication app)
    {
    }
}
