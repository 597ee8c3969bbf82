using System.Diagnostics;

namespace ImageForge.Lab;

/// <summary>Runs other people's programs; every argument is passed as it is, no shell is involved.</summary>
public static class Command
{
    public sealed record Result(int ExitCode, string Output, string Errors)
    {
        /// <summary>Both streams, for messages.</summary>
        public string All => $"{Output}{Errors}".Trim();
    }

    /// <summary>Runs to the end and returns the standard output.</summary>
    /// <exception cref="LabException">Exit code other than 0; the message carries what the program said.</exception>
    public static async Task<string> RunAsync(string program, params string[] arguments)
    {
        var result = await TryAsync(program, arguments);
        return result.ExitCode == 0
            ? result.Output
            : throw new LabException($"{program} {string.Join(' ', arguments)} ended with {result.ExitCode}: {result.All}");
    }

    public static async Task<Result> TryAsync(string program, params string[] arguments)
    {
        using var process = Start(program, arguments);
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return new Result(process.ExitCode, await output, await errors);
    }

    public static Process Start(string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null)
    {
        var start = new ProcessStartInfo(program)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        // The programs' texts are parsed in places; mke2fs and others live in the sbin folders.
        start.Environment["LC_ALL"] = "C";
        start.Environment["PATH"] = $"{start.Environment["PATH"]}:/usr/sbin:/sbin";
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
            start.Environment[name] = value;
        try
        {
            return Process.Start(start) ?? throw new LabException($"{program} did not start");
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw new LabException($"{program} cannot be started ({e.Message}); `./forge test` installs what is missing", e);
        }
    }
}
