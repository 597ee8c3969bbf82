using System.CommandLine;
using System.Globalization;
using ImageForge.Contracts;
using ImageForge.Imaging.LocalStore;

namespace ImageForge.Cli.Stores;

/// <summary><c>--store FOLDER</c>, or the environment variable that spares typing it.</summary>
internal static class StoreOption
{
    public const string Variable = "IMAGEFORGE_STORE";

    public static Option<string?> Make() => new("--store", "-s") { Description = $"Folder of the local image store (default: ${Variable})", HelpName = "FOLDER" };

    public static LocalStore Open(string? folder) => LocalStore.Open(Folder(folder));

    public static LocalStore OpenOrCreate(string? folder) => LocalStore.OpenOrCreate(Folder(folder));

    private static string Folder(string? folder) =>
        folder is { Length: > 0 } ? folder
        : Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } fromEnvironment ? fromEnvironment
        : throw Verb.UsageError("No image store was named.", $"Add --store FOLDER or set {Variable}.");
}

/// <summary><c>NAME</c> or <c>NAME:VERSION</c>.</summary>
internal readonly record struct ImageReference(string Name, int? Number)
{
    /// <exception cref="FailureException">It is neither.</exception>
    public static ImageReference Parse(string text)
    {
        var colon = text.LastIndexOf(':');
        if (colon < 0)
            return new ImageReference(text, null);
        return int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0
            ? new ImageReference(text[..colon], number)
            : throw Verb.UsageError($"\"{text}\" names no image version.", "Write NAME for the newest version or NAME:NUMBER, for example win11:3.");
    }
}
