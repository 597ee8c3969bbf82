using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace ImageForge.Cli.Output;

/// <param name="Raw">For programs: plain numbers, full text. Null is an empty cell.</param>
/// <param name="Shown">For people; null: as <paramref name="Raw"/>.</param>
internal sealed record Column<T>(string Name, Func<T, string?> Raw, Func<T, string?>? Shown = null, bool Right = false);

/// <summary>Rows in the form that was asked for.</summary>
/// <param name="id">What other verbs take as the name of a row.</param>
internal sealed class Listing<T>(JsonTypeInfo<IReadOnlyList<T>> json, Func<T, string> id, params Column<T>[] columns)
{
    public void Print(IReadOnlyList<T> rows, OutputFormat format, TextWriter output)
    {
        switch (format)
        {
            case OutputFormat.Json:
                output.WriteLine(JsonSerializer.Serialize(rows, json));
                break;
            case OutputFormat.Csv:
                output.WriteLine(string.Join(',', columns.Select(column => column.Name)));
                foreach (var row in rows)
                    output.WriteLine(string.Join(',', columns.Select(column => Quoted(column.Raw(row) ?? ""))));
                break;
            case OutputFormat.Ids:
                foreach (var row in rows)
                    output.WriteLine(id(row));
                break;
            default:
                Tables.Print(output, [.. columns.Select(column => (column.Name, column.Right))],
                    [.. rows.Select(row => columns.Select(column => (column.Shown ?? column.Raw)(row) ?? "").ToArray())]);
                break;
        }
    }

    /// <summary>RFC 4180; and a cell that a spreadsheet would run as a formula is text.</summary>
    private static string Quoted(string cell)
    {
        if (cell.Length > 0 && cell[0] is '=' or '+' or '@' or '\t' or '\r' || (cell.Length > 0 && cell[0] == '-' && !long.TryParse(cell, out _)))
            cell = "'" + cell;
        return cell.AsSpan().ContainsAny(",\"\r\n") ? $"\"{cell.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : cell;
    }
}
