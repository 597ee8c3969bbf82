using System.Globalization;
using System.Text;

namespace ImageForge.Multicast.Tests.Simulation;

/// <summary>The simulation's figures in src/ImageForge.Multicast/README.md are those of this build: written with IMAGEFORGE_WRITE_SIMULATION=1, checked without.</summary>
public sealed class FiguresTable
{
    private const string Begin = "<!-- simulation -->", End = "<!-- /simulation -->";

    [Fact]
    public void Readme_holds_the_figures_of_this_build()
    {
        var path = Path.Combine(Repository(), "src", "ImageForge.Multicast", "README.md");
        var page = File.ReadAllText(path);
        var (from, to) = (page.IndexOf(Begin, StringComparison.Ordinal) + Begin.Length, page.IndexOf(End, StringComparison.Ordinal));
        Assert.True(from >= Begin.Length && to > from, "the markers of the table are gone");
        var table = Table();
        if (Environment.GetEnvironmentVariable("IMAGEFORGE_WRITE_SIMULATION") == "1")
            File.WriteAllText(path, page[..from] + table + page[to..]);
        else
            Assert.Equal(table, page[from..to]);
    }

    private static string Table()
    {
        var text = new StringBuilder("\n| room | MB | most of it done | everybody done | passes | repair | messages/s | over HTTP |\n| --- | --- | --- | --- | --- | --- | --- | --- |\n");
        foreach (var plan in SimulatedRooms.All)
        {
            var room = plan.Result;
            var ends = room.Members.Select(member => member.EndedAt / 1e6).Order().ToList();
            text.Append(CultureInfo.InvariantCulture,
                $"| {plan.What} | {plan.Chunks * (Room.ChunkBytes / 1e6):F0} | {ends[ends.Count * 3 / 5] / room.WireSeconds:F2} | {ends[^1] / room.WireSeconds:F2} | {room.Sender.Pass} | {100 * room.RepairShare:F1} % | {room.MessagesPerSecond} | {room.Members.Max(member => member.Traits.Loss < 1 ? member.LackingAtEnd : 0)} |\n");
        }
        return text.ToString();
    }

    private static string Repository()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "ImageForge.sln")))
            folder = Path.GetDirectoryName(folder) ?? throw new InvalidOperationException("not in the repository");
        return folder;
    }
}
