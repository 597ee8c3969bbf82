using System.ComponentModel;
using System.Diagnostics;

namespace ImageForge.Imaging.Resize;

/// <summary>How a file system tool ended.</summary>
/// <param name="ExitCode">-1: it is not installed.</param>
/// <param name="Said">The last lines of its output.</param>
internal sealed record ToolRun(int ExitCode, string Said)
{
    private const int KeptLines = 6, KeptChars = 600, KeptOutput = 32 << 10;

    /// <summary>No resizer needs this for any disk; one that hangs on a broken file system is ended.</summary>
    private static readonly TimeSpan s_limit = TimeSpan.FromHours(6);

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
            using var tooLong = TimeProvider.System.CreateTimer(_ => Kill(process), null, s_limit, Timeout.InfiniteTimeSpan);
            var errors = EndOfAsync(process.StandardError);
            var said = EndOfAsync(process.StandardOutput).GetAwaiter().GetResult() + errors.GetAwaiter().GetResult();
            process.WaitForExit();
            cancel.ThrowIfCancellationRequested();
            return new ToolRun(process.ExitCode, Last(said));
        }
        catch (Win32Exception e)
        {
            return new ToolRun(-1, $"{tool} cannot be started: {e.Message}");
        }
    }

    /// <summary>The end of what a tool prints: on a hostile file system that may be gigabytes.</summary>
    private static async Task<string> EndOfAsync(StreamReader output)
    {
        var kept = new char[2 * KeptOutput];
        var length = 0;
        while (await output.ReadAsync(kept.AsMemory(length), CancellationToken.None).ConfigureAwait(false) is var count and > 0)
        {
            length += count;
            if (length < kept.Length)
                continue;
            kept.AsSpan(KeptOutput).CopyTo(kept);
            length = KeptOutput;
        }
        return new string(kept, 0, length);
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
