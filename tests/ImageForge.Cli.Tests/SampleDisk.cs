using System.Security.Cryptography;

namespace ImageForge.Cli.Tests;

/// <summary>A real disk in a file: GPT, an EFI system partition with FAT and a root with ext4, both with files; made once per run.</summary>
internal static class SampleDisk
{
    public const int MiB = 1 << 20;
    public const long Size = 128L * MiB;
    public const long FatOffset = MiB, FatSize = 40L * MiB, ExtOffset = 41L * MiB, ExtSize = 80L * MiB;

    /// <summary>Makes <paramref name="name"/> in the folder.</summary>
    /// <param name="seed">Another seed is another content.</param>
    public static async Task<string> MakeAsync(Scratch scratch, string name, int seed = 1)
    {
        var files = Directory.CreateDirectory(scratch[$"{name}.files"]).FullName;
        var random = new Random(seed);
        for (var i = 0; i < 60; i++)
        {
            var bytes = new byte[random.Next(1, 200_000)];
            random.NextBytes(bytes);
            await File.WriteAllBytesAsync(Path.Combine(files, $"file{i}.bin"), bytes);
        }
        await scratch.ShellAsync($"""
            truncate -s {Size} {name}
            sfdisk -q {name} <<EOF
            label: gpt
            start=1MiB, size=40MiB, type=U, name="EFI system"
            start=41MiB, size=80MiB, type=L, name=root
            EOF
            truncate -s 40M fat.{name}; mkfs.vfat -F 32 -n SYSTEM fat.{name} > mkfs.log
            mcopy -s -i fat.{name} {name}.files ::
            truncate -s 80M ext.{name}; mke2fs -q -t ext4 -L root -d {name}.files ext.{name}
            dd if=fat.{name} of={name} bs=1M seek=1 conv=notrunc,sparse status=none
            dd if=ext.{name} of={name} bs=1M seek=41 conv=notrunc,sparse status=none
            """);
        return scratch[name];
    }

    /// <summary>Checks both file systems of a deployed disk with their own checkers and compares every file with what was put in.</summary>
    public static async Task AssertHoldsAsync(Scratch scratch, string disk, string madeAs)
    {
        await scratch.ShellAsync($"""
            rm -rf got; mkdir -p got/fat got/ext
            dd if={disk} of=got/fat.img bs=1M skip=1 count=40 status=none
            dd if={disk} of=got/ext.img bs=1M skip=41 count=80 status=none
            fsck.fat -n got/fat.img > got/fsck.log
            e2fsck -fn got/ext.img >> got/fsck.log 2>&1
            mcopy -s -i got/fat.img ::{madeAs}.files got/fat
            debugfs -R 'rdump / got/ext' got/ext.img 2> got/debugfs.log
            sfdisk --verify {disk} > got/sfdisk.log 2>&1
            diff -r {madeAs}.files got/fat/{madeAs}.files
            diff -r -x lost+found {madeAs}.files got/ext
            """);
    }

    public static async Task<string> HashAsync(string path)
    {
        await using var file = File.OpenRead(path);
        return Convert.ToHexString(await SHA256.HashDataAsync(file));
    }
}
