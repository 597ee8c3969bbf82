namespace ImageForge.Cli.Tests.Imports;

/// <summary>Disks with the layouts that other programs keep, made with real tools, and the judge of what came back.</summary>
internal static class MadeDisks
{
    /// <summary>
    /// GPT: FAT, ext4, swap, with boot code in the protective MBR and content behind the table. The volumes lie beside it as <c>p1</c>,
    /// <c>p2</c>, <c>p3</c>.
    /// </summary>
    public static async Task<string> GptAsync(Scratch scratch)
    {
        await FilesAsync(scratch);
        await scratch.ShellAsync("""
            truncate -s 160M sda
            sfdisk -q sda <<EOF
            label: gpt
            label-id: 0E63D1AA-A8B4-4D91-A001-679409116352
            start=2048, size=40MiB, type=U, name="EFI, \x22system\x22", attrs="RequiredPartition GUID:63"
            start=83968, size=80MiB, type=L, name="root", attrs="LegacyBIOSBootable"
            start=247808, size=20MiB, type=S
            EOF
            head -c 400 /dev/urandom | dd of=sda bs=1 conv=notrunc status=none
            head -c 100000 /dev/urandom | dd of=sda bs=512 seek=40 conv=notrunc status=none
            truncate -s 40M p1; mkfs.vfat -F 32 -n SYSTEM p1 > log; mcopy -s -i p1 files ::
            truncate -s 80M p2; mke2fs -q -t ext4 -L root -d files p2
            truncate -s 20M p3; mkswap -q -L swapping -U 92d422f0-3a17-4e69-93f0-f8fd1091e5eb p3
            dd if=p1 of=sda bs=512 seek=2048 conv=notrunc,sparse status=none
            dd if=p2 of=sda bs=512 seek=83968 conv=notrunc,sparse status=none
            dd if=p3 of=sda bs=512 seek=247808 conv=notrunc,sparse status=none
            """);
        return scratch["sda"];
    }

    /// <summary>MBR with boot code and a core image in the gap: NTFS, and in an extended partition ext3, swap and FAT. Volumes <c>p1</c>, <c>p5</c>, <c>p6</c>, <c>p7</c>.</summary>
    public static async Task<string> MbrAsync(Scratch scratch)
    {
        await FilesAsync(scratch);
        await scratch.ShellAsync("""
            truncate -s 200M sda
            sfdisk -q sda <<EOF
            label: dos
            label-id: 0x1234abcd
            start=2048, size=40MiB, type=7, bootable
            start=83968, size=150MiB, type=5
            start=86016, size=40MiB, type=83
            start=169984, size=20MiB, type=82
            start=212992, size=40MiB, type=c
            EOF
            head -c 440 /dev/urandom | dd of=sda bs=1 conv=notrunc status=none
            head -c 60000 /dev/urandom | dd of=sda bs=512 seek=1 conv=notrunc status=none
            truncate -s 40M p1; mkntfs -q -F -s 512 -p 2048 -H 16 -S 63 -L windows p1 2> log; for i in 1 2 3 4; do ntfscp -q p1 files/file$i.bin file$i.bin; done
            truncate -s 40M p5; mke2fs -q -t ext3 -L data -d files p5
            truncate -s 20M p6; mkswap -q -U 11111111-2222-3333-4444-555555555555 p6
            truncate -s 40M p7; mkfs.vfat -F 32 -n FAT p7 > log; mcopy -s -i p7 files ::
            dd if=p1 of=sda bs=512 seek=2048 conv=notrunc,sparse status=none
            dd if=p5 of=sda bs=512 seek=86016 conv=notrunc,sparse status=none
            dd if=p6 of=sda bs=512 seek=169984 conv=notrunc,sparse status=none
            dd if=p7 of=sda bs=512 seek=212992 conv=notrunc,sparse status=none
            """);
        return scratch["sda"];
    }

    /// <summary>
    /// The tables say the same to sfdisk, and partclone, cloning a volume of the result, writes the very bytes it writes cloning the
    /// original: every used block and nothing else.
    /// </summary>
    /// <param name="volumes">Number, first sector, sectors, and partclone's name of the file system.</param>
    public static async Task AssertSameAsync(Scratch scratch, string result, params (int Number, long Start, long Sectors, string FileSystem)[] volumes)
    {
        await scratch.ShellAsync($"""
            dump() {"{"} sfdisk -d $1 | sed -e "s#$PWD/$1#disk#g" -e "s#^$1\([0-9]\)#disk\1#" -e '/^device/d' -e '/^last-lba/d'; {"}"}
            diff <(dump sda) <(dump {result})
            cmp -n 440 sda {result}
            """);
        foreach (var (number, start, sectors, fileSystem) in volumes)
            await scratch.ShellAsync($"""
                dd if={result} of=back bs=512 skip={start} count={sectors} status=none
                partclone.{fileSystem} -c -s p{number} -O one.pcl -L log -F 2> /dev/null
                partclone.{fileSystem} -c -s back -O two.pcl -L log -F 2> /dev/null
                cmp one.pcl two.pcl
                """);
    }

    private static async Task FilesAsync(Scratch scratch)
    {
        var files = Directory.CreateDirectory(scratch["files"]).FullName;
        var random = new Random(5);
        for (var i = 0; i < 40; i++)
        {
            var bytes = new byte[random.Next(1, 200_000)];
            random.NextBytes(bytes);
            await File.WriteAllBytesAsync(Path.Combine(files, $"file{i}.bin"), bytes);
        }
    }
}
