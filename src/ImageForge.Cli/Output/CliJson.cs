using System.Text.Json.Serialization;
using ImageForge.Cli.Disk;
using ImageForge.Cli.Images;
using ImageForge.Contracts;
using ImageForge.Imaging.Compare;
using ImageForge.Imaging.LocalStore;

namespace ImageForge.Cli.Output;

/// <summary>Everything that <c>-o json</c> prints; no reflection at run time.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(DiskReport))]
[JsonSerializable(typeof(CaptureReport))]
[JsonSerializable(typeof(DeployPlan))]
[JsonSerializable(typeof(DeployReport))]
[JsonSerializable(typeof(DiskDifference))]
[JsonSerializable(typeof(IReadOnlyList<DeployPlan>))]
[JsonSerializable(typeof(IReadOnlyList<DeployReport>))]
[JsonSerializable(typeof(IReadOnlyList<VolumeDifference>))]
[JsonSerializable(typeof(SweepResult))]
[JsonSerializable(typeof(StoreVerification))]
[JsonSerializable(typeof(ImageDetails))]
[JsonSerializable(typeof(IReadOnlyList<PartitionReport>))]
[JsonSerializable(typeof(IReadOnlyList<ImageRow>))]
[JsonSerializable(typeof(IReadOnlyList<LocalImageVersion>))]
internal sealed partial class CliJson : JsonSerializerContext;
