using ImageForge.Contracts;

namespace ImageForge.Cli.Output;

/// <summary>Before anything is erased: <c>--yes</c>, or the name typed by a person who has seen the plan.</summary>
internal static class Confirmation
{
    /// <param name="word">What has to be typed, for example the disk's name.</param>
    /// <exception cref="FailureException"><c>notConfirmed</c>.</exception>
    public static void Require(bool yes, string what, string word)
    {
        if (yes)
            return;
        if (!Terminal.CanAsk)
            throw new FailureException("notConfirmed", Fault.Cancelled, $"{what}, and nobody confirmed it.", "Add --yes, or run it on a terminal.");
        Console.Error.Write($"{what}. Type {word} to go on: ");
        if (Console.ReadLine()?.Trim() != word)
            throw new FailureException("notConfirmed", Fault.Cancelled, "Not confirmed; nothing was changed.", "Type the name exactly, or add --yes.");
    }
}
