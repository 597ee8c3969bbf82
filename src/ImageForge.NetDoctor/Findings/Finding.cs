namespace ImageForge.NetDoctor.Findings;

/// <summary>One thing the doctor looked at.</summary>
/// <param name="Code">Stable lowerCamel name, for example <c>noIgmpQuerier</c>.</param>
/// <param name="Interface">The interface it is about; null: the machine.</param>
/// <param name="Measured">The value behind it, short: "100 Mb/s, half duplex".</param>
/// <param name="Sentence">One sentence.</param>
/// <param name="Cure">One sentence; null when there is nothing to do.</param>
public sealed record Finding(string Code, Severity Severity, string? Interface, string Measured, string Sentence, string? Cure = null)
{
    public static Finding Fine(string code, string? on, string measured, string sentence) => new(code, Severity.Fine, on, measured, sentence);

    public static Finding Note(string code, string? on, string measured, string sentence, string? cure = null) => new(code, Severity.Note, on, measured, sentence, cure);

    public static Finding Warning(string code, string? on, string measured, string sentence, string cure) => new(code, Severity.Warning, on, measured, sentence, cure);

    public static Finding Problem(string code, string? on, string measured, string sentence, string cure) => new(code, Severity.Problem, on, measured, sentence, cure);

    public static Finding NotChecked(string code, string? on, string why, string sentence, string cure) => new(code, Severity.NotChecked, on, why, sentence, cure);
}
