using System.Text.Json.Serialization;

namespace ImageForge.Contracts;

/// <summary>Source-generated JSON for everything the agent speaks; the agent has no reflection.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    PropertyNameCaseInsensitive = true)]
[JsonSerializable(typeof(CheckInRequest))]
[JsonSerializable(typeof(CheckInResponse))]
[JsonSerializable(typeof(TaskAssignment))]
[JsonSerializable(typeof(ProgressReport))]
[JsonSerializable(typeof(ProgressReply))]
[JsonSerializable(typeof(DeployPlan))]
[JsonSerializable(typeof(PlanReply))]
[JsonSerializable(typeof(TaskResult))]
[JsonSerializable(typeof(TaskProof))]
[JsonSerializable(typeof(IReadOnlyList<string>))]
[JsonSerializable(typeof(SealReply))]
[JsonSerializable(typeof(Problem))]
[JsonSerializable(typeof(Inventory))]
public sealed partial class AgentJson : JsonSerializerContext;
