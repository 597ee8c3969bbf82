using ImageForge.Contracts;
using ImageForge.Server.Boot;
using ImageForge.Server.Errors;
using ImageForge.Server.Hosts;
using ImageForge.Server.ImageStore;

namespace ImageForge.Server.Agents;

/// <summary><c>POST /agent/v1/check-in</c>.</summary>
internal static partial class CheckInEndpoint
{
    private const int MaxBody = 256 << 10;
    private const int MaxTokenLength = 128;

    public static async Task<IResult> PostAsync(
        HttpContext context, CheckIn checkIn, Alarms alarms, BootTimeline timeline, StoreSpace space, ILogger<CheckIn> logger, CancellationToken cancellationToken)
    {
        if (!context.Request.IsHttps)
            return AgentCallFilter.HttpsOnly();
        var (request, problem) = await AgentBody.ReadJsonAsync(context, AgentJson.Default.CheckInRequest, MaxBody, cancellationToken);
        if (request is null)
            return problem!;
        if (request.Inventory is null || string.IsNullOrEmpty(request.BootToken) || request.BootToken.Length > MaxTokenLength || !IsNonce(request.Nonce))
            return Problems.BadRequest("badCheckIn", "A check-in needs a boot token, a nonce of 32 random bytes in base64url and an inventory.",
                "Use an agent of the same version as the server.");
        request = request with { Inventory = InventoryLimits.Apply(request.Inventory) };
        CheckInAnswer answer;
        try
        {
            answer = await checkIn.RunAsync(request, cancellationToken);
        }
        catch (Exception e) when (DiskFull.Is(e))
        {
            return space.Problem();
        }
        var address = context.Connection.RemoteIpAddress?.ToString() ?? "";
        switch (answer)
        {
            case CheckInAnswer.Accepted accepted:
                var task = accepted.Response.Task;
                LogAccepted(logger, accepted.Host.Name, accepted.Mac, task.TaskId, address, DeviceText.Limit(request.AgentVersion), accepted.Response.Resumed, accepted.Replay);
                if (!accepted.Replay)
                    timeline.Record(accepted.Mac, "checkIn", $"task {task.TaskId}{(accepted.Response.Resumed ? ", resumed" : "")}", null, null);
                return TypedResults.Json(accepted.Response, AgentJson.Default.CheckInResponse);
            case CheckInAnswer.Refused refused:
                LogRefused(logger, refused.Mac?.ToString(), address, refused.Failure.Code, refused.Failure.Sentence);
                if (refused.Subject is { } subject)
                    await alarms.RaiseAsync("checkInRefused", subject, $"Check-in from {address} refused ({refused.Failure.Code}): {refused.Failure.Sentence} {refused.Failure.Cure}", cancellationToken);
                if (refused.Mac is { } mac)
                    timeline.Record(mac, "checkInRefused", refused.Failure.Sentence, null, null);
                return Problems.Of(refused.Status, "The check-in is refused", refused.Failure.Code, refused.Failure.Sentence, refused.Failure.Cure, refused.Failure.Fault);
            default:
                throw new InvalidOperationException($"unknown answer {answer}");
        }
    }

    /// <summary>32 bytes in base64url without padding.</summary>
    private static bool IsNonce(string? text) => text is { Length: 43 } && text.All(static c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_');

    [LoggerMessage(LogLevel.Information, "{Host} ({Mac}) checked in from {Address} for task {TaskId}, agent {AgentVersion}, resumed {Resumed}, repeated {Replay}")]
    private static partial void LogAccepted(ILogger logger, string host, MacAddress mac, long taskId, string address, string? agentVersion, bool resumed, bool replay);

    [LoggerMessage(LogLevel.Warning, "Check-in of {Mac} from {Address} refused: {Code}: {Sentence}")]
    private static partial void LogRefused(ILogger logger, string? mac, string address, string code, string sentence);
}
