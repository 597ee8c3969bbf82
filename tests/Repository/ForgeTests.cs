using System.Diagnostics;

namespace ImageForge.RepositoryChecks;

/// <summary>forge on machines that lack something: it names the cure and never shows a stack trace.</summary>
public sealed class ForgeTests : IDisposable
{
    // What forge itself needs; everything else is missing on this machine.
    private static readonly string[] Tools = ["bash", "dirname", "mkdir", "cat", "grep", "sed", "sort", "cut", "paste", "tr", "env", "tail"];

    private readonly string _folder = Directory.CreateTempSubdirectory("if-forge-").FullName;

    public ForgeTests()
    {
        foreach (var tool in Tools)
            File.CreateSymbolicLink(Path.Combine(_folder, tool), $"/usr/bin/{tool}");
        // Not root, and no sudo: forge must not try to install anything.
        Provide("id", "echo 1000");
    }

    [Theory]
    [InlineData("up")]
    [InlineData("test")]
    [InlineData("live")]
    public async Task Without_the_sdk_the_command_that_installs_it_is_named(string command)
    {
        var (code, text) = await ForgeAsync(command);
        Assert.Equal(1, code);
        Assert.Contains("the .NET 10 SDK is missing", text, StringComparison.Ordinal);
        Assert.Contains("sudo apt-get install dotnet-sdk-10.0", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_old_sdk_is_named()
    {
        Provide("dotnet", "echo '8.0.404 [/usr/share/dotnet/sdk]'");
        var (code, text) = await ForgeAsync("live");
        Assert.Equal(1, code);
        Assert.Contains("this machine has: 8.0.404", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Missing_packages_are_named_with_the_command_that_installs_them()
    {
        Provide("dotnet", "echo '10.0.100 [/usr/share/dotnet/sdk]'");
        var (code, text) = await ForgeAsync("live");
        Assert.Equal(1, code);
        Assert.Matches(@"sudo apt-get install --no-install-recommends .*clang.*zstd", text);
    }

    [Fact]
    public async Task An_unknown_command_lists_the_known_ones()
    {
        var (code, text) = await ForgeAsync("fly");
        Assert.Equal(1, code);
        Assert.Contains("./forge up", text, StringComparison.Ordinal);
        Assert.Contains("unknown command \"fly\"", text, StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private void Provide(string name, string script)
    {
        var path = Path.Combine(_folder, name);
        File.WriteAllText(path, $"#!/bin/sh\n{script}\n");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    private async Task<(int Code, string Text)> ForgeAsync(string command)
    {
        var start = new ProcessStartInfo("/bin/bash")
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        start.ArgumentList.Add(Path.Combine(ReadmeMapTests.Top, "forge"));
        start.ArgumentList.Add(command);
        start.Environment.Clear();
        start.Environment["PATH"] = _folder;
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        var text = await output + await errors;
        Assert.DoesNotMatch(@"line \d+:|   at ", text);
        return (process.ExitCode, text);
    }
}
