using System.Text;
using ImageForge.Imaging.Disks;
using ImageForge.Imaging.FileSystems;

namespace ImageForge.Imaging.Tests.FileSystems;

/// <summary>Swap space made by mkswap; judged by blkid, swaplabel and file.</summary>
public sealed class SwapTests
{
    private const int MiB = 1 << 20;

    private const string Uuid = "6f2c7a10-9b1e-4c3d-8a55-0123456789ab";

    [Theory]
    [InlineData(4)]
    [InlineData(8)]
    [InlineData(16)]
    [InlineData(32)]
    [InlineData(64)]
    public void Only_the_page_with_uuid_and_label_is_used(int kibibytes)
    {
        using var volume = MadeVolume.Swap(9 * MiB, $"-p {kibibytes << 10} -U {Uuid} -L Judge");
        FillBehind(volume, kibibytes << 10);
        var ours = volume.Identify();
        Assert.Equal((FileSystemKind.Swap, Uuid, "Judge"), (ours.Kind, ours.Uuid, ours.Label));
        Assert.Equal(kibibytes << 10, ours.Used.CountUsed() * ours.BlockSize);
        Assert.Equal((kibibytes << 10) / ours.BlockSize, ours.Used.CountUsed(0, (kibibytes << 10) / ours.BlockSize));

        var restored = volume.CopyWithGarbageInUnused(ours);
        foreach (string[] judge in (string[][])[["blkid", "-p", "-o", "export"], ["swaplabel"], ["file", "-b"]])
            Assert.Equal(Shell.Run(judge[0], [.. judge[1..], volume.Image]).Replace(volume.Image, "", StringComparison.Ordinal),
                Shell.Run(judge[0], [.. judge[1..], restored]).Replace(restored, "", StringComparison.Ordinal));
    }

    [Fact]
    public void Swap_space_without_label_says_so()
    {
        using var volume = MadeVolume.Swap(MiB, $"-U {Uuid}");
        Assert.Equal((Uuid, null), (volume.Identify().Uuid, volume.Identify().Label));
    }

    [Theory]
    [InlineData("S1SUSPEND")]
    [InlineData("S2SUSPEND")]
    [InlineData("ULSUSPEND")]
    [InlineData("LINHIB0001")]
    [InlineData("\xED\xC3\x02\xE9\x98\x56\xE5\x0C")]
    public void A_suspended_system_is_taken_whole(string mark)
    {
        using var volume = MadeVolume.Swap(2 * MiB, $"-U {Uuid}");
        var bytes = volume.ReadAll();
        bytes.AsSpan(4086, 10).Clear();
        Encoding.Latin1.GetBytes(mark).CopyTo(bytes, 4086);
        var content = Identify(bytes);
        Assert.Equal((FileSystemKind.Swap, Uuid), (content.Kind, content.Uuid));
        Assert.Contains("suspended system", content.Note, StringComparison.Ordinal);
        Assert.Equal(content.Used.BlockCount, content.Used.CountUsed());
    }

    [Fact]
    public void What_lies_behind_a_smaller_swap_space_is_used()
    {
        using var volume = MadeVolume.Swap(4 * MiB, $"-U {Uuid}");
        var bytes = new byte[6 * MiB];
        volume.ReadAll().CopyTo(bytes, 0);
        var content = Identify(bytes);
        Assert.Equal(2 * MiB / content.BlockSize, content.Used.CountUsed(4 * MiB / content.BlockSize, 2 * MiB / content.BlockSize));
        Assert.Equal(2 * MiB / content.BlockSize + 4096 / content.BlockSize, content.Used.CountUsed());
    }

    [Fact]
    public void Swap_space_of_a_machine_with_the_other_byte_order_is_read()
    {
        using var volume = MadeVolume.Swap(2 * MiB, $"-U {Uuid} -L Judge");
        var bytes = volume.ReadAll();
        bytes.AsSpan(1024, 4).Reverse();
        bytes.AsSpan(1028, 4).Reverse();
        var content = Identify(bytes);
        Assert.Equal((Uuid, "Judge", 4096), (content.Uuid, content.Label, (int)(content.Used.CountUsed() * content.BlockSize)));
    }

    [Theory]
    [InlineData(1024, 2)]
    [InlineData(1030, 9)]
    public void A_header_that_cannot_be_true_is_taken_whole(int at, byte value)
    {
        using var volume = MadeVolume.Swap(2 * MiB, "");
        var bytes = volume.ReadAll();
        bytes[at] = value;
        var content = Identify(bytes);
        Assert.Equal(FileSystemKind.Unknown, content.Kind);
        Assert.Contains("Looks like Linux swap", content.Note, StringComparison.Ordinal);
        Assert.Equal(content.Used.BlockCount, content.Used.CountUsed());
    }

    /// <summary>As a swap space looks that was used, another one's mark among it.</summary>
    private static void FillBehind(MadeVolume volume, int page)
    {
        using var file = File.OpenWrite(volume.Image);
        var swapped = new byte[volume.Bytes - page];
        new Random(5).NextBytes(swapped);
        if (page < 65536)
            "SWAPSPACE2"u8.CopyTo(swapped.AsSpan(65536 - 10 - page));
        file.Position = page;
        file.Write(swapped);
    }

    private static VolumeContent Identify(byte[] bytes) => VolumeProbe.Identify(MemoryDisk.Of(bytes), 0, bytes.Length, CancellationToken.None);
}
