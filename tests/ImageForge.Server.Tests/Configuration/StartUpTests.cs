using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace ImageForge.Server.Tests.Configuration;

/// <summary>Starts the real program as people do: what keeps it from starting is one line with a cure and exit code 1.</summary>
public sealed class StartUpTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("imageforge-start-").FullName;

    [Fact]
    public async Task It_prints_its_address_and_the_set_up_link_and_keeps_everything_from_others()
    {
        using var running = Start($"--data-folder={_folder}/data", "--listen", "127.0.0.1", "--http-port", "0", "--https-port", "0");
        var link = await LineAsync(running, "Set-up: ");
        Assert.Matches(@"^Set-up: https://127\.0\.0\.1:\d+/setup#[A-Za-z0-9_-]{24}$", link);
        var open = Directory.EnumerateFileSystemEntries(_folder + "/data", "*", SearchOption.AllDirectories).Append(_folder + "/data")
            .Where(path => (File.GetUnixFileMode(path) & ~(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute)) != 0);
        Assert.Empty(open);
        // A polite end: SIGTERM, exit code 0.
        using var kill = Process.Start("kill", ["-TERM", $"{running.Id}"]);
        await running.WaitForExitAsync();
        Assert.Equal(0, running.ExitCode);
    }

    [Fact]
    public async Task A_port_in_use_is_named_with_the_way_out()
    {
        using var occupant = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        occupant.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        occupant.Listen();
        var port = ((IPEndPoint)occupant.LocalEndPoint!).Port;
        var line = await RefusalAsync($"--data-folder={_folder}", "--listen=127.0.0.1", "--http-port=0", $"--https-port={port}");
        Assert.Contains($"{port}", line, StringComparison.Ordinal);
        Assert.Contains("ss -ltnp", line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_data_folder_that_is_a_file_is_named()
    {
        await File.WriteAllTextAsync(_folder + "/file", "x");
        Assert.Contains("--data-folder", await RefusalAsync($"--data-folder={_folder}/file"), StringComparison.Ordinal);
        Assert.Contains("--data-folder", await RefusalAsync($"--data-folder={_folder}/file/below"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_data_folder_that_cannot_be_made_is_named_with_a_command() =>
        Assert.Contains("--data-folder", await RefusalAsync("--data-folder=/proc/imageforge"), StringComparison.Ordinal);

    [Fact]
    public async Task A_damaged_database_is_named()
    {
        await File.WriteAllTextAsync(_folder + "/imageforge.db", new string('x', 100_000));
        Assert.Contains("integrity_check", await RefusalAsync($"--data-folder={_folder}", "--listen=127.0.0.1", "--http-port=0", "--https-port=0"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--listen=somewhere", "not an IP address")]
    [InlineData("--listen=192.0.2.77", "not an address of this machine")]
    [InlineData("--http-port=many", "configuration")]
    [InlineData("--http-port=99999", "99999")]
    [InlineData("--frobnicate", "--frobnicate")]
    public async Task A_wrong_flag_is_named(string flag, string expected) =>
        Assert.Contains(expected, await RefusalAsync($"--data-folder={_folder}", "--http-port=0", "--https-port=0", flag), StringComparison.Ordinal);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>The one line on standard error of a program that does not start.</summary>
    private static async Task<string> RefusalAsync(params string[] args)
    {
        using var program = Start(args);
        var output = program.StandardOutput.ReadToEndAsync();
        var error = await program.StandardError.ReadToEndAsync();
        await program.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(60));
        Assert.Equal(1, program.ExitCode);
        var line = Assert.Single(error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.StartsWith("imageforge-server cannot start: ", line, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", await output, StringComparison.Ordinal);
        return line;
    }

    private static Process Start(params string[] args) => Process.Start(new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "ImageForge.Server"), args)
    {
        RedirectStandardOutput = true,
        RedirectStandardError = true,
    })!;

    private static async Task<string> LineAsync(Process program, string start)
    {
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (await program.StandardOutput.ReadLineAsync(timeout.Token) is { } line)
        {
            if (line.StartsWith(start, StringComparison.Ordinal))
                return line;
        }
        throw new InvalidOperationException($"the program ended without a line that starts with {start}");
    }
}
