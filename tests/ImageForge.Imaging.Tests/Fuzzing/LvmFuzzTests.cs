using ImageForge.Imaging.FileSystems;
using ImageForge.Imaging.Tests.FileSystems;
using ImageForge.Imaging.Tests.FileSystems.Lvm;
using Xunit.Abstractions;

namespace ImageForge.Imaging.Tests.Fuzzing;

public sealed class LvmFuzzTests(ITestOutputHelper output)
{
    [Fact]
    public void Changed_physical_volumes_are_read_or_taken_whole()
    {
        using var ext = MadeVolume.Ext("ext2", 1 << 20, "-b 1024 -N 16", files: 0);
        using var group = new MadeGroup(5 << 20, "--dataalignment 4K --metadatasize 32K");
        group.Add("root", 1);
        group.Add("data", 1);
        group.Enlarge("root", 2);
        group.Put("data", ext.Image);
        var image = File.ReadAllBytes(group.Image);
        Assert.Contains("data (ext2", group.Identify().Note, StringComparison.Ordinal);
        var (text, length) = (4096 + (int)image.U64(4096 + 40), (int)image.U64(4096 + 48));
        Assert.True(4096 + image.U64(4096 + 32) >= (ulong)(text + length), "the text wraps, change its size");
        VolumeFuzz.Run(output, image, [(512, 160), (512 + 32, 120), (4096, 90), (text, length), (text, length), (text + length / 3, length / 3)], 4_000, fuzzer =>
        {
            foreach (var (at, sum) in MadeGroup.Sums(image))
                fuzzer.Write(at, BitConverter.GetBytes(sum));
        });
    }

    [Fact]
    public void Changed_encrypted_volumes_are_named_or_taken_whole()
    {
        using var luks1 = MadeVolume.Luks(4 << 20, "luks1", "0f4a1c52-6d3e-4b7a-9c11-aabbccddeeff");
        VolumeFuzz.Run(output, luks1.ReadAll(), [(0, 16), (0, 220), (160, 60)], 2_000);
    }
}
