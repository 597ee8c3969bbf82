using System.Reflection;
using System.Text.Json;
using System.Text.RegularExpressions;
using ImageForge.Contracts;

namespace ImageForge.Server.Errors;

/// <summary>
/// Says what is wrong with a JSON body in words for the person who wrote it. The framework tells it only as English text with
/// .NET names, so that text is read here; what is not recognised falls back to a general sentence.
/// </summary>
internal static partial class JsonFault
{
    public static string Sentence(JsonException fault)
    {
        var path = Path(fault);
        if (fault.Message.Contains("could not be mapped", StringComparison.Ordinal))
            return path is null ? "The body has a property that this request does not know." : $"The body has the property \"{path}\", which this request does not know.";
        if (Missing().Match(fault.Message) is { Success: true } missing)
            return $"The {(path is null ? "body" : $"property \"{path}\"")} lacks {missing.Groups[1].Value.Replace('\'', '"')}.";
        if (path is null)
            return fault.LineNumber is { } line ? $"The body is not JSON of the expected form; line {line + 1}, byte {fault.BytePositionInLine + 1}." : "The body is not JSON.";
        if (EnumOf(fault) is not null)
            return $"The property \"{path}\" has a value that does not exist.";
        return fault.InnerException is null && fault.Message.StartsWith("not ", StringComparison.Ordinal)
            ? $"The property \"{path}\" is {fault.Message}."
            : $"The property \"{path}\" has a value of the wrong form.";
    }

    public static string Cure(JsonException fault) =>
        EnumOf(fault) is { } type
            ? $"Use one of: {string.Join(", ", Enum.GetNames(type).Select(JsonNamingPolicy.CamelCase.ConvertName))}."
            : "Compare the names and types of its properties with /openapi/v1.json.";

    /// <summary>The path without the leading "$."; null for the body itself. It echoes the request: limited like any foreign text.</summary>
    private static string? Path(JsonException fault) => Hosts.DeviceText.Limit(fault.Path?.TrimStart('$', '.'));

    /// <summary>The framework names the property's type, or the whole record's when the value goes to a constructor.</summary>
    private static Type? EnumOf(JsonException fault)
    {
        if (Converted().Match(fault.Message) is not { Success: true } match || fault.Path is not { } path)
            return null;
        var type = typeof(Fault).Assembly.GetType(match.Groups[1].Value) ?? typeof(JsonFault).Assembly.GetType(match.Groups[1].Value);
        if (type is { IsEnum: false })
        {
            var member = type.GetProperty(path[(path.LastIndexOf('.') + 1)..], BindingFlags.Public | BindingFlags.Instance | BindingFlags.IgnoreCase)?.PropertyType;
            type = member is null ? null : Nullable.GetUnderlyingType(member) ?? member;
        }
        return type is { IsEnum: true } ? type : null;
    }

    [GeneratedRegex(@"missing required properties including: (.+?)[.;]?$")]
    private static partial Regex Missing();

    [GeneratedRegex(@"could not be converted to (?:System\.Nullable`1\[)?(ImageForge(?:\.[A-Za-z0-9_]+)+)")]
    private static partial Regex Converted();
}
