using System.Text;
using ImageForge.Agent.Screen;
using ImageForge.Contracts;

namespace ImageForge.Agent.Tests.Screen;

public sealed class MachineScreenTests
{
    private static readonly TaskView s_view = new("pc-07", "10.0.0.1:8443", "deploy image debian version 3 (task 7)", HostTaskState.Transferring,
        120L << 20, 322L << 20, 45 << 20, TimeSpan.FromSeconds(64), null, ["Erases   sda: Samsung SSD 860, 250 GB"], null, null, null);

    [Fact]
    public void A_working_machine_shows_name_server_job_disk_bar_bytes_rate_and_time_left()
    {
        var text = Page(s_view);

        Assert.Contains("ImageForge   pc-07", text, StringComparison.Ordinal);
        Assert.Contains("Server   10.0.0.1:8443", text, StringComparison.Ordinal);
        Assert.Contains("Job      deploy image debian version 3 (task 7)", text, StringComparison.Ordinal);
        Assert.Contains("Erases   sda: Samsung SSD 860, 250 GB", text, StringComparison.Ordinal);
        Assert.Contains("Transferring", text, StringComparison.Ordinal);
        Assert.Contains("[" + new string('#', 22) + new string('.', 38) + "]  37 %", text, StringComparison.Ordinal);
        Assert.Contains("120 of 322 MiB   45 MiB/s   1:04 left", text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_failure_shows_the_side_the_sentence_and_the_cure_and_no_bar()
    {
        var text = Page(s_view with { Failure = new Failure("diskTooSmall", Fault.Disk, "The image needs 250 GB, sda has 240 GB.", "Use a larger disk."), Ending = "The machine stays on." });

        Assert.Contains("Failed (diskTooSmall). The cause is on this side: this machine's disk", text, StringComparison.Ordinal);
        Assert.Contains("The image needs 250 GB, sda has 240 GB.", text, StringComparison.Ordinal);
        Assert.Contains("Use a larger disk.", text, StringComparison.Ordinal);
        Assert.Contains("The machine stays on.", text, StringComparison.Ordinal);
        Assert.DoesNotContain("###", text, StringComparison.Ordinal);
    }

    /// <summary>Host names, serial numbers and server sentences are strangers' text: none of it may drive the terminal.</summary>
    [Fact]
    public void Escape_sequences_in_device_text_do_not_reach_the_terminal()
    {
        const string nasty = "a\e[2Jb\nc\ad\u009be";
        var clean = Raw(s_view);
        var raw = Raw(s_view with { HostName = nasty, Facts = [nasty], Job = nasty, Detail = nasty, Waiting = nasty, Failure = new Failure(nasty, Fault.Disk, nasty, nasty) });

        Assert.Contains("a?[2Jb?c?d?e", raw, StringComparison.Ordinal);
        Assert.DoesNotContain('\a', raw);
        Assert.DoesNotContain('\u009b', raw);
        Assert.Equal(1, raw.Split("\e[2J").Length - 1);
        Assert.Equal(1, clean.Split("\e[2J").Length - 1);
    }

    [Fact]
    public void No_line_is_wider_than_the_console_and_no_page_longer()
    {
        var wide = new string('x', 500);
        var words = string.Join(' ', Enumerable.Repeat("word", 120));
        foreach (var view in new[] { s_view with { HostName = wide, Job = wide, Facts = [.. Enumerable.Repeat(wide, 40)], Detail = wide, Waiting = wide, Ending = wide },
            s_view with { Failure = new Failure("code", Fault.Image, words, words), Facts = [.. Enumerable.Repeat(words, 40)], Waiting = words, Ending = words } })
        {
            var lines = Page(view).Split("\r\n");
            Assert.All(lines, line => Assert.True(line.Length <= 80, line));
            // The last is empty: the cursor's line.
            Assert.InRange(lines.Length, 8, 25);
        }
    }

    [Fact]
    public void Serial_lines_say_phase_percent_bytes_and_rate_once_per_change()
    {
        using var output = new StringWriter();
        var lines = new SerialLines(output);
        lines.Show(s_view);
        lines.Show(s_view);
        lines.Show(s_view with { State = HostTaskState.Finishing, BytesTotal = 0 });

        Assert.Equal("imageforge: phase transferring 37 % 120/322 MiB 45 MiB/s\nimageforge: phase finishing\n", output.ToString());
    }

    [Fact]
    public void Serial_lines_end_with_a_line_that_a_program_can_wait_for()
    {
        using var output = new StringWriter();
        var lines = new SerialLines(output);
        lines.Ended(HostTaskState.Failed, new Failure("diskTooSmall", Fault.Disk, "Too small.", "Use a larger one."), "Too small.");
        lines.Ended(HostTaskState.Succeeded, null, "Done.");
        lines.Ended(HostTaskState.Cancelled, new Failure("cancelled", Fault.Cancelled, "Cancelled.", "Nothing."), "Cancelled.");

        Assert.Equal("imageforge: task failed diskTooSmall disk: Too small.\nimageforge: cure: Use a larger one.\nimageforge: task succeeded Done.\nimageforge: task cancelled Cancelled.\n",
            output.ToString());
    }

    [Theory]
    [InlineData(512_110_190_592, "512 GB")]
    [InlineData(2_000_398_934_016, "2.0 TB")]
    [InlineData(8_589_934_592, "8.6 GB")]
    [InlineData(67_108_864, "67 MB")]
    public void Disk_sizes_are_written_as_on_the_label(long bytes, string text) => Assert.Equal(text, Units.DiskSize(bytes));

    private static string Raw(TaskView view)
    {
        using var console = new MemoryStream();
        new MachineScreen(console).Show(view);
        return Encoding.UTF8.GetString(console.ToArray());
    }

    /// <summary>What is left when the escape sequences are taken away.</summary>
    private static string Page(TaskView view) =>
        System.Text.RegularExpressions.Regex.Replace(Raw(view), @"\e\[[?0-9;]*[a-zA-Z\]]", "");
}
