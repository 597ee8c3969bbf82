namespace ImageForge.Cli.Tests;

public sealed class DiskCompareTests : IDisposable
{
    private readonly Scratch _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public async Task Verify_names_the_volume_and_the_bytes_that_differ()
    {
        var disk = await SampleDisk.MakeAsync(_scratch, "source");
        await Cli.RunAsync("disk", "capture", disk, "-i", "lab", "-s", _scratch.Store);
        Assert.Contains("are the same", await Cli.RunAsync("disk", "verify", disk, "lab:1", "-s", _scratch.Store), StringComparison.Ordinal);

        // A used block of the ext4, the last byte of the GPT's name field, and free space that nobody looks at.
        await _scratch.ShellAsync($"""
            block=$(debugfs -R 'blocks /file1.bin' ext.source 2>/dev/null | cut -d' ' -f1)
            echo $block > block
            printf 'X' | dd of=source bs=1 seek=$(({SampleDisk.ExtOffset} + block * 4096 + 700)) conv=notrunc status=none
            printf 'X' | dd of=source bs=1 seek=$((2 * 512 + 60)) conv=notrunc status=none
            printf 'X' | dd of=source bs=1 seek=$(({SampleDisk.Size} - 1048576)) conv=notrunc status=none
            """);
        var found = await Cli.TryAsync("disk", "verify", disk, "lab:1", "-s", _scratch.Store);
        Assert.Equal(1, found.ExitCode);
        // debugfs counts in blocks of the file system.
        var blockSize = long.Parse((await _scratch.ShellAsync("dumpe2fs -h ext.source 2>/dev/null | sed -n 's/^Block size: *//p'")).Trim(), System.Globalization.CultureInfo.InvariantCulture);
        Assert.Contains("differs: first copy of the partition table", found.Output, StringComparison.Ordinal);
        if (blockSize == 4096)
        {
            var block = long.Parse(await File.ReadAllTextAsync(_scratch["block"]), System.Globalization.CultureInfo.InvariantCulture);
            Assert.Contains($"volume 2, bytes: {(block * 4096) + 512}+512\n", found.Output, StringComparison.Ordinal);
        }
        Assert.DoesNotContain("volume 1", found.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Diff_tells_what_changed_between_two_versions()
    {
        var disk = await SampleDisk.MakeAsync(_scratch, "source");
        await Cli.RunAsync("disk", "capture", disk, "-i", "lab", "-s", _scratch.Store);
        await _scratch.ShellAsync($"""
            head -c 300000 /dev/urandom > new.bin
            debugfs -w -R 'write new.bin new.bin' ext.source 2> /dev/null
            dd if=ext.source of=source bs=1M seek=41 conv=notrunc status=none
            """);
        await Cli.RunAsync("disk", "capture", disk, "-i", "lab", "-s", _scratch.Store);
        await Cli.RunAsync("disk", "capture", disk, "-i", "fine", "-s", _scratch.Store, "--chunk-size", "64KiB");

        var coarse = await DifferAsync("lab:1", "lab:2");
        Assert.Equal(0, coarse[0].GetProperty("chunksDifferent").GetInt64());
        Assert.InRange(coarse[1].GetProperty("chunksDifferent").GetInt64(), 2, 12);
        // Cut differently: the contents are compared, by sector.
        var fine = await DifferAsync("lab:1", "fine");
        Assert.InRange(fine[1].GetProperty("bytesDifferent").GetInt64(), 300_000, 600_000);
        var disks = await DifferAsync(disk, "lab:1");
        Assert.InRange(disks[1].GetProperty("bytesDifferent").GetInt64(), 1, 600_000);
        Assert.Equal(0, (await Cli.TryAsync("disk", "diff", "lab:2", "fine", "-s", _scratch.Store)).ExitCode);
    }

    [Fact]
    public async Task Several_disks_make_one_image_and_come_back_in_order()
    {
        var (first, second) = (await SampleDisk.MakeAsync(_scratch, "first"), await SampleDisk.MakeAsync(_scratch, "second", seed: 2));
        await Cli.RunAsync("disk", "capture", first, second, "-i", "pair", "-s", _scratch.Store);
        await Cli.RefusesAsync(2, "has 2 disk(s), and 1 target(s) were named", "disk", "deploy", "pair", _scratch["x"], "--size", "128MiB", "-s", _scratch.Store);
        await Cli.RunAsync("disk", "deploy", "pair", _scratch["one"], _scratch["two"], "--size", "128MiB", "-s", _scratch.Store);
        await SampleDisk.AssertHoldsAsync(_scratch, "one", "first");
        await SampleDisk.AssertHoldsAsync(_scratch, "two", "second");
        Assert.Contains("are the same", await Cli.RunAsync("disk", "verify", _scratch["two"], "pair", "--of", "2", "-s", _scratch.Store), StringComparison.Ordinal);
        Assert.Contains(" 0 bad", await Cli.RunAsync("images", "verify", "-s", _scratch.Store), StringComparison.Ordinal);
    }

    private async Task<System.Text.Json.JsonElement> DifferAsync(string first, string second)
    {
        var result = await Cli.TryAsync("disk", "diff", first, second, "-s", _scratch.Store, "-o", "json");
        Assert.Equal(1, result.ExitCode);
        using var document = System.Text.Json.JsonDocument.Parse(result.Output);
        return document.RootElement.GetProperty("volumes").Clone();
    }
}
