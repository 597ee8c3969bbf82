using ImageForge.Server.Access;
using ImageForge.Server.Errors;

namespace ImageForge.Server.Agents;

internal static class AgentsFeature
{
    public static void AddAgents(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<TaskTokens>();
        builder.Services.AddSingleton<AgentSessions>();
        builder.Services.AddSingleton<SignsOfLife>();
        builder.Services.AddSingleton<StoreSpace>();
        builder.Services.AddSingleton<TaskLogs>();
        builder.Services.AddSingleton<CorruptChunks>();
        builder.Services.AddSingleton<Alarms>();
        builder.Services.AddSingleton<CheckInRecords>();
        builder.Services.AddSingleton<TaskDisks>();
        builder.Services.AddSingleton<CheckIn>();
    }

    /// <summary><c>/agent/v1</c>: the wire protocol is at the top of Contracts/AgentProtocol.cs.</summary>
    public static void MapAgents(this WebApplication app)
    {
        var agent = app.MapGroup("/agent/v1").AllowAnonymous().ExcludeFromDescription();
        agent.MapPost("check-in", CheckInEndpoint.PostAsync);
        var tasks = agent.MapGroup("").AddEndpointFilter<AgentCallFilter>();
        tasks.MapTaskEndpoints();
        tasks.MapCaptureEndpoints();
        tasks.MapDeployEndpoints();
        app.MapApi("host-tasks").MapGet("{id:long}/log", LogOf).WithTags("Jobs").WithName("getHostTaskLog").Produces<string>(200, "text/plain").ProducesProblem(404);
    }

    /// <summary>What the agent of a task wrote, as plain text.</summary>
    private static IResult LogOf(long id, TaskLogs logs) =>
        File.Exists(logs.PathOf(id))
            ? TypedResults.PhysicalFile(logs.PathOf(id), "text/plain; charset=utf-8")
            : Problems.NotFound("noLog", $"The agent of host task {id} has sent no log.", "A log arrives when the agent has something to tell; look at the machine's screen.");
}
