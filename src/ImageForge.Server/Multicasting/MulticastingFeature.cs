using ImageForge.Contracts;
using ImageForge.Server.Agents;

namespace ImageForge.Server.Multicasting;

internal static class MulticastingFeature
{
    public static void AddMulticasting(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton(builder.Configuration.GetSection(MulticastOptions.Section).Get<MulticastOptions>() ?? new MulticastOptions());
        builder.Services.AddSingleton<SessionStore>();
        builder.Services.AddSingleton<SessionOffers>();
        builder.Services.AddSingleton<MulticastSettingsDesk>();
        builder.Services.AddSingleton<GroupAddresses>();
        builder.Services.AddSingleton<TaskMulticasts>();
        builder.Services.AddSingleton<SessionMembers>();
        builder.Services.AddSingleton<SessionDesk>();
        builder.Services.AddHostedService<MulticastService>();
    }

    public static void MapMulticasting(this WebApplication app)
    {
        // A machine that was unplugged is noticed by its silence in the protocol; this finds connections that nobody speaks on.
        app.UseWebSockets(new WebSocketOptions { KeepAliveInterval = TimeSpan.FromSeconds(5), KeepAliveTimeout = TimeSpan.FromSeconds(15) });
        app.MapSessionEndpoints();
        app.MapMulticastSettings();
        app.MapGroup("/agent/v1").AllowAnonymous().ExcludeFromDescription().AddEndpointFilter<AgentCallFilter>()
            .MapGet("deploy/multicast", MulticastEndpoint.JoinAsync).WithMetadata(new AgentCall(JobKind.Deploy));
    }
}
