using System.Diagnostics;

namespace ImageForge.Bench.Imaging;

/// <summary>Other people's programs, waited for; a failure throws with what they said.</summary>
internal static class Shell
{
    public static string Run(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        start.Environment["PATH"] = Environment.GetEnvironmentVariable("PATH") + ":/usr/sbin:/sbin";
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0
            ? output
            : throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} ended with {process.ExitCode}: {errors.Result}{output}");
    }

    /// <summary>A pipeline of which every part must succeed; <c>$1</c>… are the arguments. Returns its seconds and processor seconds.</summary>
    public static Spent Pipe(string script, params string[] arguments)
    {
        var clock = Stopwatch.StartNew();
        // The last line is what bash says the pipeline's processes used.
        var lines = Run("bash", ["-c", "set -eo pipefail; TIMEFORMAT='%U %S'; { time { " + script + "; } 2> /dev/null; } 2>&1", "bench", .. arguments]).Trim().Split('\n');
        var used = lines[^1].Split(' ').Sum(double.Parse);
        return new Spent(clock.Elapsed.TotalSeconds, used);
    }
}

/// <param name="Seconds">By the clock.</param>
/// <param name="Processor">Seconds of processor time, all cores together.</param>
internal readonly record struct Spent(double Seconds, double Processor)
{
    public static Spent operator +(Spent left, Spent right) => new(left.Seconds + right.Seconds, left.Processor + right.Processor);
}
