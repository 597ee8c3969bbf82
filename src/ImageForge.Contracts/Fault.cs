using System.Text.Json.Serialization;

namespace ImageForge.Contracts;

/// <summary>The side to blame for a failure.</summary>
[JsonConverter(typeof(CamelCaseEnumConverter<Fault>))]
public enum Fault { Disk, Network, Server, Image, Cancelled }

/// <summary>Why something failed, in the words that reach the screen unchanged.</summary>
/// <param name="Code">Stable lowerCamel name, for example <c>diskTooSmall</c>.</param>
/// <param name="Fault">The side to blame.</param>
/// <param name="Sentence">One sentence: what happened, with the numbers.</param>
/// <param name="Cure">One sentence: what to do about it.</param>
public sealed record Failure(string Code, Fault Fault, string Sentence, string Cure);

/// <summary>Carries a <see cref="Failure"/> out of deep code; caught once, at the task's edge.</summary>
public sealed class FailureException(Failure failure, Exception? inner = null) : Exception(failure.Sentence, inner)
{
    public Failure Failure { get; } = failure;

    public FailureException(string code, Fault fault, string sentence, string cure, Exception? inner = null)
        : this(new Failure(code, fault, sentence, cure), inner) { }
}
