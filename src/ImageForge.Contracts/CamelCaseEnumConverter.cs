using System.Text.Json;
using System.Text.Json.Serialization;

namespace ImageForge.Contracts;

/// <summary>Writes an enum as a lowerCamel string and refuses numbers, without reflection at run time.</summary>
public sealed class CamelCaseEnumConverter<T>() : JsonStringEnumConverter<T>(JsonNamingPolicy.CamelCase, allowIntegerValues: false)
    where T : struct, Enum;
