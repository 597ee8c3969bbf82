using System.Text;
using ImageForge.Imaging.Deploy;
using ImageForge.Imaging.Resize;

namespace ImageForge.Imaging.Tests.Matrix;

/// <summary>
/// The support matrix as it stands in README.md, made of what the tests run and of what the code says it can resize.
/// <c>IMAGEFORGE_WRITE_MATRIX=1</c> writes it; without, a difference fails the test.
/// </summary>
internal static class SupportTable
{
    private const string Begin = "<!-- support -->", End = "<!-- /support -->";

    public static IEnumerable<MatrixRow> RowsOf(string layout) => MatrixRow.All.Where(r => layout != MatrixLayouts.Large || r.On4096);

    public static void CheckReadme()
    {
        var path = ReadmePath();
        var text = File.ReadAllText(path);
        var (begin, end) = (text.IndexOf(Begin, StringComparison.Ordinal), text.IndexOf(End, StringComparison.Ordinal));
        Assert.True(begin >= 0 && end > begin, $"README.md has lost its markers {Begin} … {End}");
        var wanted = text[..(begin + Begin.Length)] + "\n" + Render() + text[end..];
        if (Environment.GetEnvironmentVariable("IMAGEFORGE_WRITE_MATRIX") == "1")
            File.WriteAllText(path, wanted);
        else
            Assert.Equal(wanted, text);
    }

    private static string Render()
    {
        var table = new StringBuilder();
        table.Append("| file system | read by a capture | ").AppendJoin(" | ", MatrixLayouts.All).Append(" | grows to fill | shrinks in the image |\n");
        table.Append("| --- | --- |").Insert(table.Length, " --- |", MatrixLayouts.All.Count + 2).Append('\n');
        foreach (var row in MatrixRow.All)
            table.Append("| ").Append(row.Name).Append(" | ").Append(row.Taken).Append(" | ")
                .AppendJoin(" | ", MatrixLayouts.All.Select(layout => Mark(RowsOf(layout).Contains(row))))
                .Append(" | ").Append(Mark(FillLayout.CanGrow(row.Kind))).Append(" | ").Append(Mark(VolumeShrinker.Obstacle(row.Kind) is null)).Append(" |\n");
        return table.ToString();
    }

    private static string Mark(bool yes) => yes ? "yes" : "–";

    private static string ReadmePath()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "ImageForge.sln")))
                return Path.Combine(folder.FullName, "README.md");
        throw new InvalidOperationException("the tests do not lie inside the repository");
    }
}
