namespace ImageForge.Cli.Tests.Imports;

/// <summary>Folders laid out as Clonezilla's ocs-functions lay them out, with the programs they run.</summary>
public sealed class ClonezillaImportTests : IDisposable
{
    private readonly Scratch _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Theory]
    [InlineData("gz", "gzip -c", ".aa")]
    [InlineData("zst", "zstd -q -c", "")]
    [InlineData("lz4", "lz4 -q -c", ".aaa")]
    [InlineData("bz2", "bzip2 -c", ".aa")]
    public async Task A_gpt_image_comes_in_with_every_volume(string suffix, string compress, string first)
    {
        await MadeDisks.GptAsync(_scratch);
        var output = first.Length == 0 ? "> $1" : $"| split -a {first.Length - 1} -b 400000 - $1.";
        await _scratch.ShellAsync($$"""
            mkdir cz; cd cz; echo sda > disk; echo 'sda1 sda2 sda3' > parts; echo x > clonezilla-img
            sfdisk -d ../sda | sed "s#$(realpath ..)/sda#/dev/sda#g; s#\.\./sda#/dev/sda#g" > sda-pt.sf
            printf 'Model: (file)\nDisk /dev/sda: 327680s\nSector size (logical/physical): 512B/512B\nPartition Table: gpt\n' > sda-pt.parted
            dd if=../sda of=sda-gpt-1st bs=512 count=34 status=none
            dd if=../sda of=sda-gpt-2nd bs=512 skip=327647 count=33 status=none
            sgdisk -b sda-gpt.gdisk ../sda > ../log; dd if=../sda of=sda-mbr bs=512 count=1 status=none
            keep() { {{compress}} {{output}}; }
            partclone.fat -c -s ../p1 -O - -L ../log 2> /dev/null | keep sda1.vfat-ptcl-img.{{suffix}}
            partclone.extfs -c -s ../p2 -O - -L ../log 2> /dev/null | keep sda2.ext4-ptcl-img.{{suffix}}
            printf 'UUID="92d422f0-3a17-4e69-93f0-f8fd1091e5eb"\nLABEL="swapping"\n' > swappt-sda3.info
            """);
        Assert.True(first.Length == 0 || File.Exists(_scratch[$"cz/sda2.ext4-ptcl-img.{suffix}{first}"]));
        await ImportAsync();
        await MadeDisks.AssertSameAsync(_scratch, "result", (1, 2048, 81920, "fat"), (2, 83968, 163840, "extfs"));
        var swap = await _scratch.ShellAsync("blkid -p -O $((247808 * 512)) result");
        Assert.Contains("92d422f0-3a17-4e69-93f0-f8fd1091e5eb", swap, StringComparison.Ordinal);
        Assert.Contains("LABEL=\"swapping\"", swap, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_mbr_image_comes_in_with_its_hidden_data_and_a_volume_kept_by_dd()
    {
        await MadeDisks.MbrAsync(_scratch);
        await SaveMbrAsync();
        await ImportAsync();
        await MadeDisks.AssertSameAsync(_scratch, "result", (1, 2048, 81920, "ntfs"), (5, 86016, 81920, "extfs"), (7, 212992, 81920, "fat"));
        await _scratch.ShellAsync("cmp -n 60000 sda result");
    }

    [Fact]
    public async Task What_is_not_understood_is_refused_with_the_way_out()
    {
        await MadeDisks.MbrAsync(_scratch);
        await SaveMbrAsync();
        File.Delete(_scratch["cz/nvme0n1p1.ntfs-ptcl-img.gz.ab"]);
        await RefusesAsync("its piece .ab is missing");
        await _scratch.ShellAsync("rm cz/nvme0n1p1.ntfs-ptcl-img.gz.*; head -c 5000 /dev/urandom | gzip -c > cz/nvme0n1p1.ntfs-img.aa");
        await RefusesAsync("it was made by ntfsclone");
        await _scratch.ShellAsync("rm cz/nvme0n1p1.*; echo 'vg0 /dev/nvme0n1p5 nPMQQ0-D2yN-YRHL-9fBM-0cUm-vgcw-DCUTri' > cz/lvm_vg_dev.list");
        await RefusesAsync("partition nvme0n1p5 holds LVM");
        await _scratch.ShellAsync("touch cz/ecryptfs.info");
        await RefusesAsync("it is encrypted");
        await _scratch.ShellAsync("rm cz/*");
        await RefusesAsync("it is a folder neither of FOG");
    }

    /// <summary>An NVMe disk: the numbers of its partitions follow a p.</summary>
    private async Task SaveMbrAsync() => await _scratch.ShellAsync("""
        mkdir cz; cd cz; d=nvme0n1; echo $d > disk; echo "${d}p1 ${d}p5 ${d}p7" > parts
        sfdisk -d ../sda | sed "s#$(realpath ..)/sda#/dev/${d}p#g; s#\.\./sda#/dev/${d}p#g" > $d-pt.sf
        printf "Disk /dev/$d: 409600s\nSector size (logical/physical): 512B/512B\nPartition Table: msdos\n" > $d-pt.parted
        dd if=../sda of=$d-mbr bs=512 count=1 status=none
        dd if=../sda of=$d-hidden-data-after-mbr bs=512 skip=1 count=2047 status=none
        dd if=../sda of=${d}p2-ebr bs=512 skip=83968 count=1 status=none
        partclone.ntfs -c -s ../p1 -O - -L ../log 2> /dev/null | gzip -c | split -a 2 -b 100000 - ${d}p1.ntfs-ptcl-img.gz.
        partclone.extfs -c -s ../p5 -O - -L ../log 2> /dev/null | gzip -c > ${d}p5.ext3-ptcl-img.gz
        partclone.dd -s ../p7 -O - -L ../log 2> /dev/null | xz -1 -c | split -a 2 -b 1000000 - ${d}p7.dd-img.
        printf 'UUID="11111111-2222-3333-4444-555555555555"\nLABEL=""\n' > swappt-${d}p6.info
        """);

    private Task<Lab.Command.Result> RefusesAsync(string sentence) => Cli.RefusesAsync(1, sentence, "images", "import", _scratch["cz"], "-i", "other", "-s", _scratch.Store);

    private async Task ImportAsync()
    {
        var report = await Cli.JsonAsync("images", "import", _scratch["cz"], "-i", "cz", "-s", _scratch.Store);
        Assert.DoesNotContain(report.GetProperty("notes").EnumerateArray(), note => note.GetString()!.Contains("left empty", StringComparison.Ordinal));
        await Cli.RunAsync("disk", "deploy", "cz", _scratch["result"], "--size", "200MiB", "-s", _scratch.Store);
    }
}
