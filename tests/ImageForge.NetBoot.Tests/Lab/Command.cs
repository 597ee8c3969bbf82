using System.Diagnostics;

namespace ImageForge.NetBoot.Tests.Lab;

/// <summary>Runs a program to its end; after <c>seconds</c> it is killed, which counts as failure.</summary>
internal static class Command
{
    public sealed record Result(int ExitCode, string Output);

    public static async Task<Result> RunAsync(int seconds, string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(seconds));
        try
        {
            await process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            return new Result(-1, $"{program} was killed after {seconds} s: {await output}{await error}");
        }
        return new Result(process.ExitCode, await output + await error);
    }

    /// <summary>As <see cref="RunAsync"/>, but anything but success fails the test.</summary>
    public static async Task<string> MustAsync(string program, params string[] arguments)
    {
        var result = await RunAsync(30, program, arguments);
        Assert.True(result.ExitCode == 0, $"{program} {string.Join(' ', arguments)}: exit code {result.ExitCode}\n{result.Output}");
        return result.Output;
    }
}
