using ImageForge.Imaging.Disks;
using ImageForge.Imaging.FileSystems;
using ImageForge.Imaging.Tests.FileSystems;
using Xunit.Abstractions;

namespace ImageForge.Imaging.Tests.Fuzzing;

/// <summary>Volumes whose headers carry checksums or marks of their own.</summary>
public sealed class ExFatFuzzTests(ITestOutputHelper output)
{
    private const int KiB = 1 << 10;

    [Theory]
    [InlineData("-c 512 -b 4K", 4_000)]
    [InlineData("-c 4K -b 64K", 4_000)]
    public void Changed_exfats_are_read_or_taken_whole(string options, int cases)
    {
        using var volume = MadeVolume.ExFat(2048 * KiB, options, files: 3);
        var image = volume.ReadAll();
        Assert.Null(volume.Identify().Note);
        using var reader = new VolumeReader(MemoryDisk.Of(image), 0, image.Length, CancellationToken.None);
        var boot = ExFatBootSector.Parse(reader);
        var root = (int)new ExFatChains(reader, boot).OffsetOf(boot.RootCluster);
        var fat = (int)boot.FatOffset;
        VolumeFuzz.Run(output, image, [(64, 56), (64, 56), (104, 16), (fat, 64), (fat, 64), (root, 128), (root, 128), ((int)boot.HeapOffset, 64)], cases,
            fuzzer =>
            {
                // Only where the changed boot sector still says how long its sectors are.
                var sector = image[108] is >= 9 and <= 12 ? 1 << image[108] : 512;
                var sum = new byte[sector];
                var value = ExFatBootSector.Sum(image.AsSpan(0, 11 * sector));
                for (var at = 0; at < sector; at += 4)
                    BitConverter.TryWriteBytes(sum.AsSpan(at), value);
                fuzzer.Write(11 * sector, sum);
            });
    }

    [Fact]
    public void Changed_swap_spaces_are_read_or_taken_whole()
    {
        using var volume = MadeVolume.Swap(512 * KiB, "-L Judge");
        VolumeFuzz.Run(output, volume.ReadAll(), [(1024, 64), (1024, 16), (4078, 18)], 8_000);
    }
}
