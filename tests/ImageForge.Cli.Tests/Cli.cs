using System.Text.Json;
using ImageForge.Lab;

namespace ImageForge.Cli.Tests;

/// <summary>The real program, as people run it: no terminal, nobody to ask.</summary>
internal static class Cli
{
    public static readonly string Program = Path.Combine(AppContext.BaseDirectory, "imageforge");

    public static Task<Command.Result> TryAsync(params string[] arguments) => Command.TryAsync(Program, arguments);

    /// <returns>Standard output of a run that must succeed.</returns>
    public static Task<string> RunAsync(params string[] arguments) => Command.RunAsync(Program, arguments);

    public static async Task<JsonElement> JsonAsync(params string[] arguments)
    {
        using var document = JsonDocument.Parse(await RunAsync([.. arguments, "-o", "json"]));
        return document.RootElement.Clone();
    }

    /// <summary>A failure that a person can act on: the code, one sentence that says this, and a cure.</summary>
    public static async Task<Command.Result> RefusesAsync(int exitCode, string sentence, params string[] arguments)
    {
        var result = await TryAsync(arguments);
        Assert.True(exitCode == result.ExitCode, $"ended with {result.ExitCode}: {result.All}");
        Assert.Contains(sentence, result.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", result.Errors, StringComparison.Ordinal);
        Assert.Matches("^imageforge: .*\n  .+", result.Errors[result.Errors.IndexOf("imageforge: ", StringComparison.Ordinal)..]);
        return result;
    }
}
