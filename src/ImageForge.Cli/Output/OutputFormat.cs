using System.CommandLine;

namespace ImageForge.Cli.Output;

internal enum OutputFormat { Table, Json, Csv, Ids }

internal static class OutputOption
{
    /// <summary><c>-o table|json|csv|ids</c>.</summary>
    public static Option<OutputFormat> Make(params OutputFormat[] known)
    {
        var names = known.Select(format => format.ToString().ToLowerInvariant()).ToArray();
        var option = new Option<OutputFormat>("--output", "-o")
        {
            Description = "How the answer is printed",
            HelpName = string.Join('|', names),
            CustomParser = result =>
            {
                var index = Array.IndexOf(names, result.Tokens.Single().Value);
                if (index >= 0)
                    return known[index];
                result.AddError($"-o takes {string.Join(", ", names)}, not \"{result.Tokens.Single().Value}\".");
                return default;
            },
        };
        return option;
    }
}
