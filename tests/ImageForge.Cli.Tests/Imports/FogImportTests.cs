namespace ImageForge.Cli.Tests.Imports;

/// <summary>Folders made with the commands of FOG's fog.upload and funcs.sh.</summary>
public sealed class FogImportTests : IDisposable
{
    private static readonly (int, long, long, string)[] s_gptVolumes = [(1, 2048, 81920, "fat"), (2, 83968, 163840, "extfs")];
    private static readonly (int, long, long, string)[] s_mbrVolumes = [(1, 2048, 81920, "ntfs"), (5, 86016, 81920, "extfs"), (7, 212992, 81920, "fat")];

    private readonly Scratch _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Theory]
    [InlineData("zstd -q --ultra -20 -T1 -c")]
    [InlineData("cat")]
    public async Task A_gpt_image_comes_in_with_every_volume(string compress)
    {
        await MadeDisks.GptAsync(_scratch);
        await UploadGptAsync(compress);
        var report = await ImportAsync();
        Assert.DoesNotContain(report.GetProperty("notes").EnumerateArray(), note => note.GetString()!.Contains("left empty", StringComparison.Ordinal));
        await MadeDisks.AssertSameAsync(_scratch, "result", s_gptVolumes);
        Assert.Contains("92d422f0-3a17-4e69-93f0-f8fd1091e5eb", await _scratch.ShellAsync("blkid -p -O $((247808 * 512)) result"), StringComparison.Ordinal);
        // GRUB's sectors came from d1.grub.mbr.
        await _scratch.ShellAsync("cmp -i $((40 * 512)) -n 100000 sda result");
    }

    [Fact]
    public async Task An_mbr_image_comes_in_with_its_logical_partitions_and_its_gap()
    {
        await MadeDisks.MbrAsync(_scratch);
        await UploadMbrAsync();
        await ImportAsync();
        await MadeDisks.AssertSameAsync(_scratch, "result", s_mbrVolumes);
        await _scratch.ShellAsync("cmp -n 60000 sda result");
        Assert.Contains("11111111-2222-3333-4444-555555555555", await _scratch.ShellAsync("blkid -p -O $((169984 * 512)) result"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Cut_images_are_put_together_and_a_missing_piece_is_named()
    {
        await MadeDisks.GptAsync(_scratch);
        // uploadFormat: split -a 3 -d, and savePartition renames the first piece.
        await UploadGptAsync("zstd -q -c");
        await _scratch.ShellAsync("cd fog; for p in 1 2; do split -a 3 -d -b 300k d1p$p.img d1p$p.img.; rm d1p$p.img; mv d1p$p.img.000 d1p$p.img; done; ls");
        await ImportAsync();
        await MadeDisks.AssertSameAsync(_scratch, "result", s_gptVolumes);

        File.Delete(_scratch["fog/d1p2.img.002"]);
        await Cli.RefusesAsync(1, "d1p2.img is damaged: its piece 002 is missing", "images", "import", _scratch["fog"], "-i", "other", "-s", _scratch.Store);
    }

    [Fact]
    public async Task A_resizable_image_keeps_the_original_layout_or_the_smallest()
    {
        await MadeDisks.MbrAsync(_scratch);
        // What fog.upload does: the dump before, then shrink the file system and its partition, then the table again.
        await _scratch.ShellAsync("""
            mkdir fog; cd fog
            sfdisk -d ../sda | sed "s#$(realpath ..)/sda#/dev/sda#g; s#\.\./sda#/dev/sda#g" > d1.partitions
            cp ../sda ../shrunk
            e2fsck -fp ../p5 > ../log; resize2fs ../p5 30M > ../log 2>&1; truncate -s 30M ../p5
            sed 's/^\(.*sda5 .*size= *\)[0-9]*/\161440/' d1.partitions > d1.minimum.partitions
            sfdisk -q --force ../shrunk < d1.minimum.partitions 2> ../log
            dd if=../shrunk of=d1.mbr bs=512 count=2048 status=none; touch d1.has_grub; echo 6 > d1.fixed_size_partitions
            partclone.ntfs -c -s ../p1 -O - -L ../log 2> /dev/null | gzip -c > d1p1.img
            partclone.extfs -c -s ../p5 -O - -L ../log 2> /dev/null | gzip -c > d1p5.img
            partclone.fat -c -s ../p7 -O - -L ../log 2> /dev/null | gzip -c > d1p7.img
            touch d1p2.ebr; echo '/dev/sda6 11111111-2222-3333-4444-555555555555' > d1.original.swapuuids
            """);
        var report = await ImportAsync();
        Assert.Contains("FOG shrank the file systems", report.GetProperty("notes")[0].GetString(), StringComparison.Ordinal);
        await _scratch.ShellAsync("truncate -s 40M p5; sfdisk -d result | grep -q 'result5 .*size= *81920'");
        await _scratch.ShellAsync("dd if=result of=back bs=512 skip=86016 count=81920 status=none; e2fsck -fn back > log; mkdir out; debugfs -R 'rdump / out' back 2> log; diff -r -x lost+found files out");

        await Cli.RunAsync("images", "import", _scratch["fog"], "-i", "small", "-s", _scratch.Store, "--smallest-layout");
        Assert.Contains("\n5,44040192,31457280,", await Cli.RunAsync("images", "show", "small:1", "-s", _scratch.Store, "-o", "csv"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_the_folder_lacks_is_noted_or_refused()
    {
        await MadeDisks.GptAsync(_scratch);
        await UploadGptAsync("gzip -c");
        File.Delete(_scratch["fog/d1p1.img"]);
        var report = await ImportAsync();
        Assert.Equal("Partition 1 is not in the image: it is left empty.", report.GetProperty("notes")[0].GetString());

        await _scratch.ShellAsync("rm fog/d1.mbr fog/d1.partitions");
        await Cli.RefusesAsync(1, "it has no partition table (d1.mbr and d1.partitions)", "images", "import", _scratch["fog"], "-i", "other", "-s", _scratch.Store);
    }

    [Fact]
    public async Task Bad_input_leaves_nothing_half_made()
    {
        await MadeDisks.GptAsync(_scratch);
        await UploadGptAsync("gzip -c");
        await ImportAsync();
        await Cli.RunAsync("images", "delete", "fog", "-y", "-s", _scratch.Store);
        var whole = await File.ReadAllBytesAsync(_scratch["fog/d1p2.img"]);

        await File.WriteAllBytesAsync(_scratch["fog/d1p2.img"], whole[..(whole.Length / 2)]);
        await Cli.RefusesAsync(1, "d1p2.img is damaged", "images", "import", _scratch["fog"], "-i", "fog", "-s", _scratch.Store);
        whole[whole.Length / 2] ^= 0x10;
        await File.WriteAllBytesAsync(_scratch["fog/d1p2.img"], whole);
        await Cli.RefusesAsync(1, "d1p2.img is damaged", "images", "import", _scratch["fog"], "-i", "fog", "-s", _scratch.Store);
        Assert.Empty(Directory.GetFiles(_scratch.Store + "/chunks", "*", SearchOption.AllDirectories));
        Assert.Empty(Directory.GetFiles(_scratch.Store + "/staging"));
        Assert.Empty(Directory.GetFiles(_scratch.Store + "/tmp"));
        Assert.Empty(await Cli.RunAsync("images", "list", "-s", _scratch.Store, "-o", "ids"));
    }

    private async Task UploadGptAsync(string compress) => await _scratch.ShellAsync($"""
        mkdir fog; cd fog
        dd if=../sda of=d1.grub.mbr bs=512 count=2048 status=none
        sgdisk -b d1.mbr ../sda > ../log
        sfdisk -d ../sda | sed "s#$(realpath ..)/sda#/dev/sda#g; s#\.\./sda#/dev/sda#g" > d1.partitions
        echo -n 1: > d1.size; stat -c %s ../sda >> d1.size
        partclone.fat -c -s ../p1 -O - -L ../log 2> /dev/null | {compress} > d1p1.img
        partclone.extfs -c -s ../p2 -O - -L ../log 2> /dev/null | {compress} > d1p2.img
        echo '/dev/sda3 92d422f0-3a17-4e69-93f0-f8fd1091e5eb' > d1.original.swapuuids
        """);

    private async Task UploadMbrAsync() => await _scratch.ShellAsync("""
        mkdir fog; cd fog
        dd if=../sda of=d1.mbr bs=512 count=2048 status=none; touch d1.has_grub
        sfdisk -d ../sda | sed "s#$(realpath ..)/sda#/dev/sda#g; s#\.\./sda#/dev/sda#g" > d1.partitions
        dd if=../sda of=d1p2.ebr bs=512 skip=83968 count=1 status=none
        for p in 5 7; do dd if=../p$p of=d1p$p.ebr bs=512 count=1 status=none; done
        partclone.ntfs -c -s ../p1 -O - -L ../log 2> /dev/null | gzip -c > d1p1.img
        partclone.extfs -c -s ../p5 -O - -L ../log 2> /dev/null | gzip -c > d1p5.img
        partclone.fat -c -s ../p7 -O - -L ../log 2> /dev/null | gzip -c > d1p7.img
        echo '/dev/sda6 11111111-2222-3333-4444-555555555555' > d1.original.swapuuids
        """);

    private async Task<System.Text.Json.JsonElement> ImportAsync()
    {
        var report = await Cli.JsonAsync("images", "import", _scratch["fog"], "-i", "fog", "-s", _scratch.Store);
        File.Delete(_scratch["result"]);
        await Cli.RunAsync("disk", "deploy", "fog", _scratch["result"], "--size", "200MiB", "-s", _scratch.Store);
        return report;
    }
}
