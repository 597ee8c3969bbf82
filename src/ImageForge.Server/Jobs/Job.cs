using System.Text.Json;
using System.Text.Json.Serialization;
using ImageForge.Contracts;

namespace ImageForge.Server.Jobs;

/// <summary>What was ordered, for one or many hosts.</summary>
/// <param name="ImageName">The image to make or to deploy; null for an inventory.</param>
/// <param name="ImageVersion">The version a deploy uses, decided when the job was made.</param>
/// <param name="CreatedBy">Name of the user or token.</param>
internal sealed record Job(
    long Id,
    JobKind Kind,
    string? ImageName,
    long? ImageId,
    long? ImageVersionId,
    int? ImageVersion,
    JobParameters Parameters,
    DateTimeOffset CreatedAt,
    string CreatedBy);

/// <summary>Kept as JSON in <c>jobs.parameters</c>.</summary>
/// <param name="ChunkSize">Plain bytes per chunk of a capture, a power of two from 64 KiB to 16 MiB; 0: the agent chooses.</param>
/// <param name="Level">zstd level of a capture, 1 to 19; 0: the agent adapts it.</param>
/// <param name="Disk">Serial or WWN; null: the only internal disk.</param>
internal sealed record JobParameters(
    AfterTask After = AfterTask.Reboot,
    int ChunkSize = 0,
    int Level = 0,
    string? Disk = null,
    string? ImageName = null,
    int? ImageVersion = null,
    bool ReadBack = true,
    CaptureChoices? Capture = null,
    DeployChoices? Deploy = null,
    bool DryRun = false,
    MulticastChoice? Multicast = null)
{
    public string ToJson() => JsonSerializer.Serialize(this, JobJson.Default.JobParameters);

    public static JobParameters FromJson(string json) => JsonSerializer.Deserialize(json, JobJson.Default.JobParameters)!;
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(JobParameters))]
internal sealed partial class JobJson : JsonSerializerContext;
