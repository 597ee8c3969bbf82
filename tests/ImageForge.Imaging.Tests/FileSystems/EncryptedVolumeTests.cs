using System.Text;
using ImageForge.Imaging.Disks;
using ImageForge.Imaging.FileSystems;
using ImageForge.Imaging.Tests.Doubles;

namespace ImageForge.Imaging.Tests.FileSystems;

/// <summary>LUKS made by cryptsetup; BitLocker's headers made here after its format document, no program of Debian makes them.</summary>
public sealed class EncryptedVolumeTests
{
    private const int MiB = 1 << 20;

    private const string Uuid = "0f4a1c52-6d3e-4b7a-9c11-aabbccddeeff";

    [Theory]
    [InlineData("luks1", "LUKS1, aes-xts-plain64")]
    [InlineData("luks2", "LUKS2")]
    public void Luks_is_taken_whole_and_the_note_says_why(string type, string name)
    {
        using var volume = MadeVolume.Luks(20 * MiB, type, Uuid);
        var content = volume.Identify();
        Assert.Equal((FileSystemKind.Luks, Uuid), (content.Kind, content.Uuid));
        Assert.Equal(content.Used.BlockCount, content.Used.CountUsed());
        Assert.Contains($"Encrypted with {name}: without the key", content.Note, StringComparison.Ordinal);
        Assert.Contains("nothing can be skipped", content.Note, StringComparison.Ordinal);
    }

    [Fact]
    public void Luks2_without_its_first_header_is_still_recognised()
    {
        using var volume = MadeVolume.Luks(20 * MiB, "luks2", Uuid);
        var bytes = volume.ReadAll();
        bytes.AsSpan(0, 4096).Clear();
        var content = Identify(bytes);
        Assert.Equal((FileSystemKind.Luks, Uuid), (content.Kind, content.Uuid));
        Assert.Contains("only its second header", content.Note, StringComparison.Ordinal);
    }

    [Fact]
    public void A_second_luks_header_under_a_file_system_makes_neither_believed()
    {
        using var luks = MadeVolume.Luks(20 * MiB, "luks2", Uuid);
        using var ext = MadeVolume.Ext("ext4", 20 * MiB, "", files: 0);
        var bytes = ext.ReadAll();
        luks.ReadAll().AsSpan(0x4000, 512).CopyTo(bytes.AsSpan(0x4000));
        var content = Identify(bytes);
        Assert.Equal(FileSystemKind.Unknown, content.Kind);
        Assert.Contains("LUKS2", content.Note, StringComparison.Ordinal);
        Assert.Equal(content.Used.BlockCount, content.Used.CountUsed());
    }

    [Theory]
    [InlineData(false, "BitLocker:")]
    [InlineData(true, "BitLocker To Go:")]
    public void BitLocker_is_taken_whole_and_the_note_says_why(bool toGo, string name)
    {
        var bytes = BitLocker(4 * MiB, toGo);
        using (var folder = new TempFolder())
        {
            File.WriteAllBytes(folder["volume"], bytes);
            Assert.Equal("BitLocker", Shell.Run("blkid", "-p", "-s", "TYPE", "-o", "value", folder["volume"]).Trim());
        }
        var content = Identify(bytes);
        Assert.Equal((FileSystemKind.BitLocker, Uuid), (content.Kind, content.Uuid));
        Assert.Equal(content.Used.BlockCount, content.Used.CountUsed());
        Assert.Contains($"Encrypted with {name}", content.Note, StringComparison.Ordinal);
        Assert.Contains("nothing can be skipped", content.Note, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(176)]
    [InlineData(184)]
    [InlineData(192)]
    public void BitLocker_whose_metadata_cannot_be_found_has_no_uuid(int at)
    {
        var bytes = BitLocker(MiB, toGo: false);
        bytes.AsSpan(176, 24).Clear();
        BitConverter.TryWriteBytes(bytes.AsSpan(at), 0x7FFF_FFFF_FFFF_FFF0);
        var content = Identify(bytes);
        Assert.Equal((FileSystemKind.BitLocker, null), (content.Kind, content.Uuid));
    }

    [Theory]
    [InlineData("mdadm 1.0", "Linux RAID")]
    [InlineData("mdadm 0.90", "Linux RAID")]
    [InlineData("zfs", "ZFS")]
    public void Members_of_arrays_and_pools_over_an_old_file_system_are_taken_whole(string what, string name)
    {
        using var volume = MadeVolume.Ext("ext4", 8 * MiB, "", files: 0);
        var bytes = volume.ReadAll();
        Assert.Equal(FileSystemKind.Ext4, Identify(bytes).Kind);
        switch (what)
        {
            case "mdadm 1.0":
                BitConverter.TryWriteBytes(bytes.AsSpan(bytes.Length - 8192), 0xA92B4EFC);
                break;
            case "mdadm 0.90":
                BitConverter.TryWriteBytes(bytes.AsSpan(bytes.Length - 65536), 0xA92B4EFC);
                break;
            default:
                for (var i = 0; i < 4; i++)
                    BitConverter.TryWriteBytes(bytes.AsSpan((128 + 4 * i) << 10), 0x00BAB10CUL);
                break;
        }
        var content = Identify(bytes);
        Assert.Equal(FileSystemKind.Unknown, content.Kind);
        Assert.Contains(name, content.Note, StringComparison.Ordinal);
        Assert.Equal(content.Used.BlockCount, content.Used.CountUsed());
    }

    private static byte[] BitLocker(int length, bool toGo)
    {
        var bytes = new byte[length];
        var guid = toGo ? 424 : 160;
        Encoding.ASCII.GetBytes(toGo ? "\xEBX?MSWIN4.1" : "\xEBX?-FVE-FS-").CopyTo(bytes, 0);
        (bytes[0], bytes[1], bytes[2]) = (0xEB, 0x58, 0x90);
        (bytes[510], bytes[511]) = (0x55, 0xAA);
        new Guid(toGo ? "4967d63b-2e29-4ad8-8399-f6a339e3d001" : "4967d63b-2e29-4ad8-8399-f6a339e3d000").ToByteArray().CopyTo(bytes, guid);
        for (var i = 0; i < 3; i++)
        {
            var block = 65536 * (i + 2);
            BitConverter.TryWriteBytes(bytes.AsSpan(guid + 16 + 8 * i), (long)block);
            "-FVE-FS-"u8.CopyTo(bytes.AsSpan(block));
            BitConverter.TryWriteBytes(bytes.AsSpan(block + 8), (ushort)64);
            BitConverter.TryWriteBytes(bytes.AsSpan(block + 10), (ushort)2);
            BitConverter.TryWriteBytes(bytes.AsSpan(block + 64), 112u);
            BitConverter.TryWriteBytes(bytes.AsSpan(block + 68), 1u);
            BitConverter.TryWriteBytes(bytes.AsSpan(block + 72), 48u);
            BitConverter.TryWriteBytes(bytes.AsSpan(block + 76), 112u);
            new Guid(Uuid).ToByteArray().CopyTo(bytes, block + 80);
        }
        return bytes;
    }

    private static VolumeContent Identify(byte[] bytes) => VolumeProbe.Identify(MemoryDisk.Of(bytes), 0, bytes.Length, CancellationToken.None);
}
