using System.Numerics;
using ImageForge.Imaging.FileSystems;
using Xunit.Abstractions;

namespace ImageForge.Imaging.Tests.Fuzzing;

/// <summary>What every reader owes whatever it reads: an answer, a map that fits the volume, and everything used when it does not understand.</summary>
internal static class VolumeFuzz
{
    /// <param name="hot">Where changes matter.</param>
    /// <param name="repair">Makes checksums right again.</param>
    public static void Run(ITestOutputHelper output, byte[] image, (int, int)[] hot, int cases, Action<Fuzzer>? repair = null)
    {
        var volumes = new int[] { image.Length, image.Length / 1024 * 512, 4096, 512 };
        var summary = new Fuzzer(image, hot).Run(cases, random =>
        {
            // A partition cut shorter than its file system is damage too.
            var length = volumes[random.Next(10) > 0 ? 0 : random.Next(volumes.Length)];
            var content = VolumeProbe.Identify(new ArrayDisk(image), 0, length, CancellationToken.None);
            Assert.True(BitOperations.IsPow2(content.BlockSize) && content.BlockSize >= 512);
            Assert.Equal((length + content.BlockSize - 1L) / content.BlockSize, content.Used.BlockCount);
            var used = content.Used.CountUsed();
            if (content.Kind == FileSystemKind.Unknown)
                Assert.Equal(content.Used.BlockCount, used);
            else
                Assert.True(used > 0 && content.Used[0]);
            return content.Kind == FileSystemKind.Unknown ? "refused" : content.Note is null ? "read" : "noted";
        }, repair);
        output.WriteLine(summary);
        Assert.Contains("refused", summary, StringComparison.Ordinal);
        Assert.True(summary.Contains("read", StringComparison.Ordinal) || summary.Contains("noted", StringComparison.Ordinal), summary);
    }
}
