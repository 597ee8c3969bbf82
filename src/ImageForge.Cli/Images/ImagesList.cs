using System.CommandLine;
using System.Globalization;
using ImageForge.Cli.Output;
using ImageForge.Cli.Stores;

namespace ImageForge.Cli.Images;

/// <param name="Newest">Number of the newest version; sizes and times are its.</param>
internal sealed record ImageRow(string Name, int Versions, int Newest, DateTimeOffset SealedAt, long DiskBytes, long UsedBytes, long StoredBytes);

/// <summary><c>imageforge images list</c>.</summary>
internal static class ImagesList
{
    private static readonly Listing<ImageRow> s_images = new(
        CliJson.Default.IReadOnlyListImageRow, i => i.Name,
        new("name", i => i.Name),
        new("versions", i => Sizes.Number(i.Versions), Right: true),
        new("newest", i => Sizes.Number(i.Newest), Right: true),
        new("sealed", i => Time(i.SealedAt)),
        new("disk", i => Sizes.Number(i.DiskBytes), i => Sizes.Text(i.DiskBytes), Right: true),
        new("used", i => Sizes.Number(i.UsedBytes), i => Sizes.Text(i.UsedBytes), Right: true),
        new("stored", i => Sizes.Number(i.StoredBytes), i => Sizes.Text(i.StoredBytes), Right: true));

    public static Command Make()
    {
        var store = StoreOption.Make();
        var format = OutputOption.Make(OutputFormat.Table, OutputFormat.Json, OutputFormat.Csv, OutputFormat.Ids);
        var command = new Command("list", "The images of the store") { store, format };
        command.Runs((parsed, _) =>
        {
            var local = StoreOption.Open(parsed.GetValue(store));
            var rows = from name in local.ImageNames()
                       let versions = local.Versions(name)
                       where versions.Count > 0
                       let newest = versions[0]
                       select new ImageRow(name, versions.Count, newest.Number, newest.SealedAt, newest.DiskBytes, newest.UsedBytes, newest.StoredBytes);
            s_images.Print([.. rows], parsed.GetValue(format), Console.Out);
            return Task.FromResult(ExitCodes.Ok);
        });
        return command;
    }

    public static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
