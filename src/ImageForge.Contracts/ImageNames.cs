namespace ImageForge.Contracts;

/// <summary>What an image may be called, wherever it is kept.</summary>
public static class ImageNames
{
    public const string Rule = "1 to 64 letters, digits, spaces, dots, dashes and underscores, beginning with a letter or digit";

    /// <summary>1 to 64 ASCII letters, digits, spaces, dots, dashes, underscores, beginning with a letter or digit and not ending in a space.</summary>
    public static bool IsValid(string? name) =>
        name is { Length: >= 1 and <= 64 } && char.IsAsciiLetterOrDigit(name[0]) && name[^1] != ' '
        && name.All(static c => char.IsAsciiLetterOrDigit(c) || c is ' ' or '.' or '-' or '_');
}
