namespace ImageForge.Agent.Tests;

public sealed class AgentOptionsTests
{
    [Fact]
    public void Without_arguments_it_is_the_real_machine()
    {
        var options = AgentOptions.Parse([])!;

        Assert.Equal(("/", "/proc/cmdline", "/dev/tty1"), (options.SystemRoot, options.CommandLineFile, options.Console));
        Assert.Empty(options.DiskFiles);
    }

    [Fact]
    public void Image_files_come_from_arguments_of_the_program()
    {
        var options = AgentOptions.Parse(["--disk-file", "sda=/tmp/a=b.img", "--disk-file", "sdb=c.img", "--root", "r"])!;

        Assert.Equal([new("sda", "/tmp/a=b.img"), new("sdb", "c.img")], options.DiskFiles);
        Assert.Equal("r", options.SystemRoot);
    }

    [Theory]
    [InlineData("--disk-file")]
    [InlineData("--disk-file", "=x")]
    [InlineData("--disk-file", "x")]
    [InlineData("--shell", "x")]
    [InlineData("imageforge.server=https://10.0.0.1")]
    public void Anything_else_is_refused(params string[] arguments) => Assert.Null(AgentOptions.Parse(arguments));
}
