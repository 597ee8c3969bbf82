using System.CommandLine.Parsing;

namespace ImageForge.Cli;

internal static class CommandPath
{
    /// <summary>For example <c>imageforge disk show</c>.</summary>
    public static string Of(CommandResult command) =>
        command.Parent is CommandResult parent ? $"{Of(parent)} {command.Command.Name}" : "imageforge";
}
