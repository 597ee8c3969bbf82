using System.Text.Json.Serialization;
using ImageForge.Contracts;

namespace ImageForge.Server.Multicasting;

[JsonConverter(typeof(CamelCaseEnumConverter<SessionState>))]
internal enum SessionState
{
    /// <summary>Nobody is there yet, or a scheduled-cast waits for more machines.</summary>
    Waiting,

    /// <summary>It has begun to send.</summary>
    Running,

    Ended,
}

[JsonConverter(typeof(CamelCaseEnumConverter<SessionEnd>))]
internal enum SessionEnd
{
    /// <summary>Nobody was left.</summary>
    Done,

    /// <summary>Somebody said so; members go on over HTTP.</summary>
    Stopped,

    /// <summary>The sender could not send.</summary>
    Failed,
}

/// <summary>What the database keeps of a session: enough to go on after the server was killed. Its key is not in it.</summary>
/// <param name="VersionId">Null: the version was deleted since.</param>
/// <param name="JobId">The job of a scheduled-cast; null: auto-cast, for every job of the version.</param>
/// <param name="WaitForHosts">Scheduled-cast only.</param>
/// <param name="WaitSeconds">Scheduled-cast only, from <paramref name="FirstHostAt"/>.</param>
/// <param name="Epoch">Of the latest sender; 0: there was none.</param>
/// <param name="BytesSent">Over all its senders, headers included.</param>
/// <param name="RepairBytes">Of these, parity.</param>
internal sealed record SessionRow(
    long Id,
    long? VersionId,
    string ImageName,
    int VersionNumber,
    long? JobId,
    MulticastStart StartRule,
    int? WaitForHosts,
    int? WaitSeconds,
    SessionState State,
    uint Epoch,
    DateTimeOffset CreatedAt,
    DateTimeOffset? FirstHostAt,
    DateTimeOffset? StartedAt,
    DateTimeOffset? EndedAt,
    SessionEnd? EndReason,
    string? EndText,
    long BytesSent,
    long RepairBytes)
{
    /// <summary>When a scheduled-cast begins with whoever is there; null: it has begun, waits for nobody, or no machine is there yet.</summary>
    [JsonIgnore]
    public DateTimeOffset? StartsAt => this is { StartRule: MulticastStart.Scheduled, StartedAt: null, FirstHostAt: { } first } ? first.AddSeconds(WaitSeconds ?? 0) : null;

    [JsonIgnore]
    public string Image => $"{ImageName} version {VersionNumber}";
}
