using System.Buffers.Binary;

namespace ImageForge.Cli.Tests.Imports;

public sealed class FileImportTests : IDisposable
{
    private readonly Scratch _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Theory]
    [InlineData("")]
    [InlineData("-a 0")]
    [InlineData("-k 7")]
    [InlineData("-k 3 -K")]
    public async Task A_partclone_image_of_today_comes_in(string options)
    {
        await MakeVolumeAsync();
        await _scratch.ShellAsync($"partclone.extfs -c -s volume -O volume.pcl -L log {options} 2> /dev/null");
        await AssertComesInAsync("volume.pcl");
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public async Task A_partclone_image_of_the_first_format_comes_in(bool reseeds, bool fourBytesTooMany)
    {
        await MakeVolumeAsync();
        await _scratch.ShellAsync("partclone.extfs -c -s volume -O new.pcl -a 0 -L log 2> /dev/null");
        await File.WriteAllBytesAsync(_scratch["old.pcl"], Format0001.From(await File.ReadAllBytesAsync(_scratch["new.pcl"]), reseeds, fourBytesTooMany));
        // The judge of what was written here is partclone itself, as far as it reads such an image.
        if (!reseeds && !fourBytesTooMany)
            await _scratch.ShellAsync("partclone.chkimg -s old.pcl -L log 2> log2");
        await AssertComesInAsync("old.pcl");
    }

    [Fact]
    public async Task A_disk_through_gzip_and_one_cut_into_pieces_come_in()
    {
        var disk = await SampleDisk.MakeAsync(_scratch, "source");
        await _scratch.ShellAsync("gzip -1 -c source > source.img.gz; zstd -q -c source | split -b 500k -d -a 3 - pieces.zst.");
        foreach (var file in (string[])["source", "source.img.gz", "pieces.zst.000"])
        {
            await Cli.RunAsync("images", "import", _scratch[file], "-i", "raw", "-s", _scratch.Store);
            Assert.Contains("are the same", await Cli.RunAsync("disk", "verify", disk, "raw", "-s", _scratch.Store), StringComparison.Ordinal);
        }
        // A copy of a whole disk by FOG is a partclone image of the disk.
        await _scratch.ShellAsync("partclone.imager -c -s source -O whole.pcl -L log 2> /dev/null; gzip -1 whole.pcl");
        await Cli.RunAsync("images", "import", _scratch["whole.pcl.gz"], "-i", "raw", "-s", _scratch.Store);
        Assert.Contains("are the same", await Cli.RunAsync("disk", "verify", disk, "raw", "-s", _scratch.Store), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_cut_off_or_changed_file_is_refused()
    {
        await MakeVolumeAsync();
        await _scratch.ShellAsync("""
            partclone.extfs -c -s volume -O v.pcl -L log 2> /dev/null
            head -c 300000 v.pcl > cut.pcl; head -c 60 v.pcl > head.pcl
            cp v.pcl bit.pcl; printf X | dd of=bit.pcl bs=1 seek=200000 conv=notrunc status=none
            for c in gzip zstd xz lz4 bzip2; do $c -c v.pcl 2> /dev/null | head -c 100000 > cut.$c || true; done
            """);
        await RefusesAsync("cut.pcl", "it ends after");
        await RefusesAsync("head.pcl", "it ends within its header");
        await RefusesAsync("bit.pcl", "a checksum is wrong");
        foreach (var tool in (string[])["gzip", "zstd", "xz", "lz4", "bzip2"])
            await RefusesAsync($"cut.{tool}", $"cut.{tool} is damaged");
        Assert.Empty(Directory.GetFiles(_scratch.Store + "/chunks", "*", SearchOption.AllDirectories));
    }

    private async Task MakeVolumeAsync()
    {
        await SampleDisk.MakeAsync(_scratch, "source");
        File.Move(_scratch["ext.source"], _scratch["volume"]);
    }

    private async Task AssertComesInAsync(string file)
    {
        await Cli.RunAsync("images", "import", _scratch[file], "-i", "volume", "-s", _scratch.Store);
        await Cli.RunAsync("disk", "deploy", "volume", _scratch["back"], "--size", "80MiB", "-s", _scratch.Store);
        await _scratch.ShellAsync("partclone.extfs -c -s volume -O one -L log 2> /dev/null; partclone.extfs -c -s back -O two -L log 2> /dev/null; cmp one two; e2fsck -fn back > log");
    }

    private Task<Lab.Command.Result> RefusesAsync(string file, string sentence) => Cli.RefusesAsync(1, sentence, "images", "import", _scratch[file], "-i", "bad", "-s", _scratch.Store);
}

/// <summary>No program of today writes format 0001: it is made from a 0002 without checksums, by IMAGE_FORMATS.md, and partclone.chkimg judges it.</summary>
internal static class Format0001
{
    public static byte[] From(byte[] image0002, bool reseeds, bool fourBytesTooMany)
    {
        var blocks = BinaryPrimitives.ReadInt64LittleEndian(image0002.AsSpan(60));
        var blockSize = BinaryPrimitives.ReadInt32LittleEndian(image0002.AsSpan(84));
        using var old = new MemoryStream();
        var header = new byte[4160];
        "partclone-image"u8.CopyTo(header);
        image0002.AsSpan(36, 15).CopyTo(header.AsSpan(15));
        "0001"u8.CopyTo(header.AsSpan(30));
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(36), blockSize);
        image0002.AsSpan(52, 24).CopyTo(header.AsSpan(40));
        old.Write(header);
        var bitmap = image0002.AsSpan(110, (int)((blocks + 7) / 8)).ToArray();
        for (var i = 0; i < blocks; i++)
            old.WriteByte((byte)(bitmap[i >> 3] >> (i & 7) & 1));
        old.Write("BiTmAgIc"u8);
        var crc = uint.MaxValue;
        for (var at = 110 + bitmap.Length + 4; at + blockSize <= image0002.Length; at += blockSize)
        {
            var block = image0002.AsSpan(at, blockSize);
            old.Write(block);
            crc = Crc(reseeds ? uint.MaxValue : crc, block[0], blockSize);
            old.Write(BitConverter.GetBytes(crc));
            if (fourBytesTooMany)
                old.Write([0, 0, 0, 0]);
        }
        return old.ToArray();
    }

    /// <summary>The old program took the first byte of a block again and again.</summary>
    private static uint Crc(uint crc, byte value, int times)
    {
        for (var i = 0; i < times; i++)
        {
            var c = (crc ^ value) & 0xFF;
            for (var bit = 0; bit < 8; bit++)
                c = (c & 1) != 0 ? 0xEDB88320 ^ c >> 1 : c >> 1;
            crc = c ^ crc >> 8;
        }
        return crc;
    }
}
