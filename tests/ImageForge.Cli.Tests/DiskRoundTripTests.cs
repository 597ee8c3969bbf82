namespace ImageForge.Cli.Tests;

public sealed class DiskRoundTripTests : IDisposable
{
    private readonly Scratch _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public async Task A_disk_is_shown_captured_and_deployed_onto_a_new_file_of_another_size()
    {
        var disk = await SampleDisk.MakeAsync(_scratch, "source");
        var before = await SampleDisk.HashAsync(disk);

        var shown = await Cli.JsonAsync("disk", "show", disk);
        Assert.Equal("gpt", shown.GetProperty("scheme").GetString());
        var partitions = shown.GetProperty("partitions");
        Assert.Equal(("fat32", "SYSTEM", "EFI system"), (Text(partitions[0], "fileSystem"), Text(partitions[0], "label"), Text(partitions[0], "name")));
        Assert.Equal(("ext4", "root"), (Text(partitions[1], "fileSystem"), Text(partitions[1], "label")));
        Assert.InRange(partitions[1].GetProperty("usedBytes").GetInt64(), 1, SampleDisk.ExtSize - 1);

        var captured = await Cli.JsonAsync("disk", "capture", disk, "--image", "lab 1", "--store", _scratch.Store, "--chunk-size", "128KiB");
        Assert.Equal(1, captured.GetProperty("version").GetProperty("number").GetInt32());
        Assert.Equal(before, await SampleDisk.HashAsync(disk));

        var deployed = await Cli.JsonAsync("disk", "deploy", "lab 1", _scratch["target"], "--size", "200MiB", "--store", _scratch.Store);
        Assert.Equal(captured.GetProperty("version").GetProperty("usedBytes").GetInt64(), deployed.GetProperty("bytesWritten").GetInt64());
        Assert.Equal(200L << 20, new FileInfo(_scratch["target"]).Length);
        await SampleDisk.AssertHoldsAsync(_scratch, "target", "source");
    }

    [Fact]
    public async Task A_second_capture_of_the_same_disk_stores_nothing_new()
    {
        var disk = await SampleDisk.MakeAsync(_scratch, "source");
        await Cli.RunAsync("disk", "capture", disk, "--image", "lab", "-s", _scratch.Store);
        var second = await Cli.JsonAsync("disk", "capture", disk, "--image", "lab", "-s", _scratch.Store);
        Assert.Equal(2, second.GetProperty("version").GetProperty("number").GetInt32());
        Assert.Equal(0, second.GetProperty("newBytes").GetInt64());
    }

    [Fact]
    public async Task A_dry_run_shows_the_plan_and_touches_nothing()
    {
        var disk = await SampleDisk.MakeAsync(_scratch, "source");
        await Cli.RunAsync("disk", "capture", disk, "--image", "lab", "-s", _scratch.Store);
        var other = await SampleDisk.MakeAsync(_scratch, "other", seed: 2);
        var before = await SampleDisk.HashAsync(other);

        var plan = await Cli.RunAsync("disk", "deploy", "lab", other, "-s", _scratch.Store, "--dry-run");
        Assert.Contains("Erases everything on " + other, plan, StringComparison.Ordinal);
        Assert.Contains("EFI system", plan, StringComparison.Ordinal);
        Assert.Equal(before, await SampleDisk.HashAsync(other));

        var planned = await Cli.JsonAsync("disk", "deploy", "lab", _scratch["never"], "-s", _scratch.Store, "--dry-run", "--size", "1GiB");
        Assert.Equal(2, planned.GetProperty("volumes").GetArrayLength());
        Assert.False(File.Exists(_scratch["never"]));
    }

    [Fact]
    public async Task A_deploy_that_nobody_confirmed_touches_nothing_and_yes_confirms_it()
    {
        var disk = await SampleDisk.MakeAsync(_scratch, "source");
        await Cli.RunAsync("disk", "capture", disk, "--image", "lab", "-s", _scratch.Store);
        var other = await SampleDisk.MakeAsync(_scratch, "other", seed: 2);
        var before = await SampleDisk.HashAsync(other);

        var refused = await Cli.RefusesAsync(4, "nobody confirmed it", "disk", "deploy", "lab:1", other, "-s", _scratch.Store);
        Assert.Contains("Erases everything", refused.Errors, StringComparison.Ordinal); // the plan came first
        Assert.Equal(before, await SampleDisk.HashAsync(other));

        await Cli.RunAsync("disk", "deploy", "lab:1", other, "-s", _scratch.Store, "--yes");
        await SampleDisk.AssertHoldsAsync(_scratch, "other", "source");
    }

    [Fact]
    public async Task A_disk_too_small_is_refused_with_both_numbers_and_no_file_is_made()
    {
        var disk = await SampleDisk.MakeAsync(_scratch, "source");
        await Cli.RunAsync("disk", "capture", disk, "--image", "lab", "-s", _scratch.Store);
        await Cli.RefusesAsync(1, "at least 126,8", "disk", "deploy", "lab", _scratch["small"], "-s", _scratch.Store, "--size", "64MiB");
        Assert.False(File.Exists(_scratch["small"]));
    }

    [Fact]
    public async Task On_a_terminal_the_name_of_the_disk_is_typed()
    {
        var disk = await SampleDisk.MakeAsync(_scratch, "source");
        await Cli.RunAsync("disk", "capture", disk, "--image", "lab", "-s", _scratch.Store);
        await _scratch.ShellAsync("truncate -s 128M target");
        string Typing(string text) => $"printf '{text}\n' | TERM=dumb script -qec \"{Cli.Program} disk deploy lab target -s store\" /dev/null";
        var refused = await Lab.Command.TryAsync("bash", "-c", $"cd {Path.GetDirectoryName(disk)}; {Typing("yes")}");
        Assert.Equal(4, refused.ExitCode);
        Assert.Contains("Type target to go on", refused.Output, StringComparison.Ordinal);
        await _scratch.ShellAsync("cmp -n 134217728 target /dev/zero");
        await _scratch.ShellAsync(Typing("target"));
        await SampleDisk.AssertHoldsAsync(_scratch, "target", "source");
    }

    [Fact]
    public async Task A_file_system_that_was_not_closed_is_taken_whole_or_refused()
    {
        var disk = await SampleDisk.MakeAsync(_scratch, "source");
        await _scratch.ShellAsync("debugfs -w -R 'set_super_value state 0' ext.source 2> log; dd if=ext.source of=source bs=1M seek=41 conv=notrunc status=none");
        await Cli.RefusesAsync(1, "Volume 2 of ", "disk", "capture", disk, "-i", "lab", "-s", _scratch.Store, "--dirty", "refuse");
        Assert.False(Directory.Exists(_scratch.Store + "/catalogue/lab"));
        var taken = await Cli.TryAsync("disk", "capture", disk, "-i", "lab", "-s", _scratch.Store, "--dirty", "whole");
        Assert.Equal(0, taken.ExitCode);
        Assert.Contains("note: volume 2: ", taken.Errors, StringComparison.Ordinal);
        var result = await Cli.TryAsync("disk", "capture", disk, "-i", "lab", "-s", _scratch.Store, "--dirty", "maybe");
        Assert.Equal(2, result.ExitCode);
    }

    private static string? Text(System.Text.Json.JsonElement element, string name) => element.GetProperty(name).GetString();
}
