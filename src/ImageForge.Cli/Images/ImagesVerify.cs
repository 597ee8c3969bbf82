using System.CommandLine;
using System.Text.Json;
using ImageForge.Cli.Output;
using ImageForge.Cli.Stores;
using ImageForge.Imaging.LocalStore;

namespace ImageForge.Cli.Images;

/// <summary><c>imageforge images verify [NAME[:VERSION]]</c>: is every chunk there and what it claims to be?</summary>
internal static class ImagesVerify
{
    public static Command Make()
    {
        var image = new Argument<string?>("IMAGE") { Description = "NAME, or NAME:VERSION; all images if left out", Arity = ArgumentArity.ZeroOrOne };
        var store = StoreOption.Make();
        var format = OutputOption.Make(OutputFormat.Table, OutputFormat.Json);
        var command = new Command("verify", "Reads and hashes every chunk; a damaged one is put aside, and the next capture that holds it puts it back") { image, store, format };
        command.Runs(async (parsed, cancel) =>
        {
            var local = StoreOption.Open(parsed.GetValue(store));
            var versions = parsed.GetValue(image) is { } text ? Named(local, ImageReference.Parse(text)) : local.AllVersions();
            long done = 0, total = 0;
            var work = Task.Run(() => local.Verify(versions, (d, t) => (done, total) = (d, t), cancel), cancel);
            await ProgressLine.WatchAsync(work, () => new Done("verifying chunks", done, total));
            var result = await work;
            Print(result, versions.Count, parsed.GetValue(format));
            return result.Bad.Count == 0 ? ExitCodes.Ok : ExitCodes.Failed;
        });
        return command;
    }

    private static IReadOnlyList<LocalImageVersion> Named(LocalStore local, ImageReference reference)
    {
        var version = local.Find(reference.Name, reference.Number);
        return reference.Number is null ? local.Versions(reference.Name) : [version];
    }

    private static void Print(StoreVerification result, int versions, OutputFormat format)
    {
        if (format == OutputFormat.Json)
        {
            Console.Out.WriteLine(JsonSerializer.Serialize(result, CliJson.Default.StoreVerification));
            return;
        }
        foreach (var bad in result.Bad)
            Console.Out.WriteLine($"{bad.Why}: {bad.What}, needed by {string.Join(", ", bad.Hurts)}");
        Console.Out.WriteLine($"{versions} version(s), {result.Chunks} chunks, {Sizes.Text(result.Bytes)} hashed, {result.Bad.Count} bad");
    }
}
