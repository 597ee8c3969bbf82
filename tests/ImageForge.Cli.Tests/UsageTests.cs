namespace ImageForge.Cli.Tests;

public sealed class UsageTests : IDisposable
{
    private readonly Scratch _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Theory]
    [InlineData("disk")]
    [InlineData("fly")]
    [InlineData("disk", "show")]
    [InlineData("disk", "show", "x", "-o", "xml")]
    [InlineData("disk", "capture", "x")]
    public async Task What_is_not_a_command_ends_with_2_and_names_the_help(params string[] arguments)
    {
        var result = await Cli.TryAsync(arguments);
        Assert.Equal(2, result.ExitCode);
        Assert.Contains("--help", result.Errors, StringComparison.Ordinal);
        Assert.Empty(result.Output);
    }

    [Fact]
    public async Task A_value_that_is_none_ends_with_2_and_says_what_is_one()
    {
        await File.WriteAllBytesAsync(_scratch["disk"], new byte[4096]);
        await Cli.RefusesAsync(2, "\"100k\" is not a chunk size", "disk", "capture", _scratch["disk"], "--image", "a", "-s", _scratch.Store, "--chunk-size", "100k");
        await Cli.RefusesAsync(2, "30 is not a zstd level", "disk", "capture", _scratch["disk"], "--image", "a", "-s", _scratch.Store, "--level", "30");
        await Cli.RefusesAsync(2, "\"../x\" is not an image name", "disk", "capture", _scratch["disk"], "--image", "../x", "-s", _scratch.Store);
        await Cli.RefusesAsync(2, "No image store was named", "images", "list");
        await Cli.RefusesAsync(2, "\"a:b\" names no image version", "images", "show", "a:b", "-s", _scratch.Store);
        Assert.False(Directory.Exists(_scratch.Store));
    }

    [Fact]
    public async Task Every_verb_explains_itself()
    {
        foreach (var verb in (string[][])[["disk", "show"], ["disk", "capture"], ["disk", "deploy"], ["disk", "verify"], ["disk", "diff"], ["images", "import"], ["images", "shrink"], ["images", "list"], ["images", "show"], ["images", "delete"], ["images", "verify"]])
            Assert.Contains("Usage:", await Cli.RunAsync([.. verb, "--help"]), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_not_there_is_said_in_one_sentence()
    {
        await Cli.RefusesAsync(1, "There is no disk", "disk", "show", _scratch["nothing"]);
        await Cli.RefusesAsync(1, "is a folder, not a disk", "disk", "show", Path.GetDirectoryName(_scratch["x"])!);
        await Cli.RefusesAsync(1, "There is no image store in", "images", "list", "-s", _scratch.Store);
        await _scratch.ShellAsync("mkdir photos; touch photos/cat.jpg; truncate -s 1M disk");
        await Cli.RefusesAsync(1, "not empty (it holds cat.jpg)", "disk", "capture", _scratch["disk"], "--image", "a", "-s", _scratch["photos"]);
    }

    [Fact]
    public async Task Nothing_moves_or_shines_where_nobody_looks()
    {
        var disk = await SampleDisk.MakeAsync(_scratch, "source");
        foreach (var arguments in (string[][])[["disk", "show", disk], ["disk", "capture", disk, "-i", "a", "-s", _scratch.Store], ["images", "list", "-s", _scratch.Store], ["disk", "deploy", "a", _scratch["new"], "--size", "128MiB", "-s", _scratch.Store]])
        {
            var result = await Cli.TryAsync(arguments);
            Assert.Equal(0, result.ExitCode);
            Assert.DoesNotContain('\x1b', result.All);
            Assert.DoesNotContain('\r', result.All);
        }
    }

    [Fact]
    public async Task On_a_terminal_a_bar_shows_how_far_it_is()
    {
        var disk = await SampleDisk.MakeAsync(_scratch, "source");
        var seen = await _scratch.ShellAsync($"TERM=xterm script -qec \"{Cli.Program} disk capture {disk} -i a -s store\" /dev/null < /dev/null");
        Assert.Contains("capturing", seen, StringComparison.Ordinal);
        Assert.Contains("100%", seen, StringComparison.Ordinal);
    }
}
