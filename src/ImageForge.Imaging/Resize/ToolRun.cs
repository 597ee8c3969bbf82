using System.ComponentModel;
using System.Diagnostics;

namespace ImageForge.Imaging.Resize;

/// <summary>How a file system tool ended.</summary>
/// <param name="ExitCode">-1: it is not installed.</param>
/// <param name="Said">The last lines of its output.</param>
internal sealed record ToolRun(int ExitCode, string Said)
{
    private const int KeptLines = 6, KeptChars = 600;

    public bool IsMissing => ExitCode == -1;

    /// <summary>Runs a program of Debian's file system packages with a fixed list of arguments: no shell, and nothing of a request in it.</summary>
    /// <exception cref="OperationCanceledException">Cancelled; the program was ended.</exception>
    public static ToolRun Of(string tool, CancellationToken cancel, params ReadOnlySpan<string> arguments)
    {
        var path = Array.Find(["/usr/sbin/" + tool, "/sbin/" + tool, "/usr/bin/" + tool, "/bin/" + tool], File.Exists);
        if (path is null)
            return new ToolRun(-1, $"{tool} is not installed");
        var start = new ProcessStartInfo(path) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        start.Environment["LC_ALL"] = "C";
        try
        {
            using var process = Process.Start(start)!;
            process.StandardInput.Close();
            using var ending = cancel.Register(() => Kill(process));
            var errors = process.StandardError.ReadToEndAsync(CancellationToken.None);
            var output = process.StandardOutput.ReadToEnd();
            var said = output + errors.GetAwaiter().GetResult();
            process.WaitForExit();
            cancel.ThrowIfCancellationRequested();
            return new ToolRun(process.ExitCode, Last(said));
        }
        catch (Win32Exception e)
        {
            return new ToolRun(-1, $"{tool} cannot be started: {e.Message}");
        }
    }

    private static void Kill(Process process)
    {
        try
        {
            process.Kill();
        }
        catch (InvalidOperationException)
        {
            // It has ended by itself.
        }
    }

    private static string Last(string said)
    {
        var lines = said.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        var text = string.Concat(string.Join(" / ", lines[^Math.Min(KeptLines, lines.Length)..]).Select(c => char.IsControl(c) ? ' ' : c));
        return text.Length <= KeptChars ? text : text[^KeptChars..];
    }
}
