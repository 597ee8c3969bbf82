using System.Text.Json.Serialization;
using ImageForge.Contracts;

namespace ImageForge.NetDoctor.Findings;

[JsonConverter(typeof(CamelCaseEnumConverter<Severity>))]
public enum Severity
{
    /// <summary>Looked at, and as it should be.</summary>
    Fine,

    /// <summary>Worth knowing; nothing to repair.</summary>
    Note,

    /// <summary>Could not be looked at. It is neither good nor bad, and does not count as good.</summary>
    NotChecked,

    /// <summary>Works perhaps, or works today.</summary>
    Warning,

    /// <summary>Boots or multicast fail, or will.</summary>
    Problem,
}
