using Spectre.Console;

namespace ImageForge.Cli.Output;

/// <summary>Tables for people: drawn on a terminal, aligned with spaces elsewhere, where a line stays a line however long.</summary>
internal static class Tables
{
    public static void Print(TextWriter output, IReadOnlyList<(string Name, bool Right)> columns, IReadOnlyList<string[]> rows)
    {
        if (ReferenceEquals(output, Console.Out) && Terminal.OutputIsOne)
            Draw(columns, rows);
        else
            Align(output, columns, rows);
    }

    private static void Draw(IReadOnlyList<(string Name, bool Right)> columns, IReadOnlyList<string[]> rows)
    {
        var table = new Table().Border(TableBorder.Simple);
        foreach (var (name, right) in columns)
            table.AddColumn(right ? new TableColumn(new Text(name)).RightAligned() : new TableColumn(new Text(name)));
        foreach (var row in rows)
            table.AddRow(row.Select(cell => new Text(Printable(cell))));
        AnsiConsole.Write(table);
    }

    private static void Align(TextWriter output, IReadOnlyList<(string Name, bool Right)> columns, IReadOnlyList<string[]> rows)
    {
        string[][] lines = [[.. columns.Select(column => column.Name.ToUpperInvariant())], .. rows.Select(row => Array.ConvertAll(row, Printable))];
        var widths = columns.Select((_, i) => lines.Max(line => line[i].Length)).ToArray();
        foreach (var line in lines)
            output.WriteLine(string.Join("  ", line.Select((cell, i) => columns[i].Right ? cell.PadLeft(widths[i]) : cell.PadRight(widths[i]))).TrimEnd());
    }

    /// <summary>Labels come from disks and may hold anything.</summary>
    public static string Printable(string cell) => string.Concat(cell.Select(c => char.IsControl(c) ? '?' : c));
}
