using System.CommandLine;
using ImageForge.Contracts;
using ImageForge.Imaging.Disks;

namespace ImageForge.Cli;

/// <summary>The edge of every verb: what goes wrong becomes one sentence, one cure and an exit code.</summary>
internal static class Verb
{
    public static void Runs(this Command command, Func<ParseResult, CancellationToken, Task<int>> action) =>
        command.SetAction(async (parsed, cancel) =>
        {
            try
            {
                return await action(parsed, cancel);
            }
            catch (FailureException e)
            {
                return Tell(e.Failure);
            }
            catch (DiskException e)
            {
                return Tell(e.ToFailure());
            }
            catch (OperationCanceledException)
            {
                await Console.Error.WriteLineAsync("imageforge: stopped.");
                return ExitCodes.Failed;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                return Tell(new Failure(e is UnauthorizedAccessException ? "notPermitted" : "ioError", Fault.Disk, e.Message, "Check the path and the rights on it."));
            }
        });

    public static FailureException UsageError(string sentence, string cure) => new(new Failure(UsageCode, Fault.Disk, sentence, cure));

    private const string UsageCode = "usage";

    private static int Tell(Failure failure)
    {
        Console.Error.WriteLine($"imageforge: {OneLine(failure.Sentence)}");
        Console.Error.WriteLine($"  {OneLine(failure.Cure)}");
        return failure.Code == UsageCode ? ExitCodes.Usage : ExitCodes.Of(failure);
    }

    /// <summary>Labels and models may hold anything; a terminal gets no control characters of theirs.</summary>
    private static string OneLine(string text) => string.Concat(text.Select(c => char.IsControl(c) ? '?' : c));
}
