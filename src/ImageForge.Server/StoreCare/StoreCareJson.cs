using System.Text.Json.Serialization;

namespace ImageForge.Server.StoreCare;

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(SweepRequest))]
[JsonSerializable(typeof(SweepProgress))]
[JsonSerializable(typeof(VerifyRequest))]
[JsonSerializable(typeof(VerifyProgress))]
internal sealed partial class StoreCareJson : JsonSerializerContext;
