using System.CommandLine;
using System.Text.Json;
using ImageForge.Cli.Output;
using ImageForge.Cli.Stores;

namespace ImageForge.Cli.Images;

/// <summary><c>imageforge images delete NAME[:VERSION]</c>, and the chunks that nothing else uses.</summary>
internal static class ImagesDelete
{
    public static Command Make()
    {
        var image = new Argument<string>("IMAGE") { Description = "NAME for the image with all its versions, or NAME:VERSION" };
        var store = StoreOption.Make();
        var yes = new Option<bool>("--yes", "-y") { Description = "Delete without asking" };
        var format = OutputOption.Make(OutputFormat.Table, OutputFormat.Json, OutputFormat.Ids);
        var command = new Command("delete", "Removes an image or one version, and what only it used") { image, store, yes, format };
        command.Runs((parsed, cancel) =>
        {
            var text = parsed.GetValue(image)!;
            var (name, number) = ImageReference.Parse(text);
            var local = StoreOption.Open(parsed.GetValue(store));
            _ = local.Find(name, number);
            var what = number is null ? $"{local.Versions(name).Count} version(s) of {name}" : text;
            Confirmation.Require(parsed.GetValue(yes), $"{what} will be deleted", text);
            var result = local.Delete(name, number, cancel);
            if (parsed.GetValue(format) == OutputFormat.Json)
                Console.Out.WriteLine(JsonSerializer.Serialize(result, CliJson.Default.SweepResult));
            else if (parsed.GetValue(format) == OutputFormat.Ids)
                foreach (var version in result.Versions)
                    Console.Out.WriteLine(version.ToString());
            else
                Console.Out.WriteLine($"deleted {string.Join(", ", result.Versions)}: {Sizes.Text(result.FreedBytes)} freed");
            return Task.FromResult(ExitCodes.Ok);
        });
        return command;
    }
}
