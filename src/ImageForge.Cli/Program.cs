using System.CommandLine;
using System.CommandLine.Invocation;
using ImageForge.Cli;
using ImageForge.Cli.Disk;
using ImageForge.Cli.Images;
using ImageForge.Cli.Net;

var root = new RootCommand("Disk images without and with a server. Nouns are those of the API.")
{
    DiskCommands.Make(),
    ImagesCommands.Make(),
    NetCommands.Make(),
};
var parsed = root.Parse(args);
if (parsed.Action is ParseErrorAction)
{
    foreach (var error in parsed.Errors)
        await Console.Error.WriteLineAsync($"imageforge: {error.Message}");
    await Console.Error.WriteLineAsync($"Try: {CommandPath.Of(parsed.CommandResult)} --help");
    return ExitCodes.Usage;
}
// Ctrl-C cancels, and then waits: a deploy that stops leaves a disk that the next run resumes.
return await parsed.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = TimeSpan.FromSeconds(30), EnableDefaultExceptionHandler = false });
