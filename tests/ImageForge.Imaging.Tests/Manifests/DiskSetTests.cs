using System.Buffers.Binary;
using System.Security.Cryptography;
using ImageForge.Imaging.Disks;
using ImageForge.Imaging.Manifests;
using ImageForge.Imaging.Tests.Doubles;
using ImageForge.Imaging.Tests.Fuzzing;
using Xunit.Abstractions;

namespace ImageForge.Imaging.Tests.Manifests;

public sealed class DiskSetTests(ITestOutputHelper output)
{
    private static readonly byte[] s_first = ManifestWriter.Write(SyntheticImage.Make(new Random(1), chunkSize: 1 << 20).Manifest);
    private static readonly byte[] s_second = ManifestWriter.Write(SyntheticImage.Make(new Random(2), chunkSize: 1 << 20, scheme: PartitionScheme.None).Manifest);

    [Fact]
    public void Gives_back_every_disk_in_order_with_the_hash_of_its_own_manifest()
    {
        var file = DiskSetWriter.Write([("S1", s_first), (null, s_second)]);
        Assert.True(ImageDisks.TryParse(file, out var image, out _));
        Assert.Equal(["S1", null], image.Disks.Select(d => d.Serial));
        Assert.Equal([ManifestHash.Of(s_first), ManifestHash.Of(s_second)], image.Disks.Select(d => d.ManifestHash));
        Assert.Equal([s_first, s_second], image.Disks.Select(d => ManifestWriter.Write(d.Manifest)));
        Assert.Equal(image.Disks.Sum(d => d.Manifest.DataChunks().Count()), image.DataChunks().Count());
        Assert.Equal(file, DiskSetWriter.Write([("S1", s_first), (null, s_second)]));
    }

    [Fact]
    public void A_plain_manifest_is_an_image_of_one_disk()
    {
        Assert.True(ImageDisks.TryParse(s_first, out var image, out _));
        var disk = Assert.Single(image.Disks);
        Assert.Equal((null, ManifestHash.Of(s_first), image.UsedBytes), (disk.Serial, disk.ManifestHash, disk.Manifest.UsedBytes));
    }

    [Fact]
    public void Where_one_disk_is_expected_the_failure_says_that_there_are_several()
    {
        Assert.False(ManifestParser.TryParse(DiskSetWriter.Write([(null, s_first), (null, s_second)]), out _, out var failure));
        Assert.Equal("severalDisks", failure.Code);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(33)]
    public void One_disk_or_too_many_are_no_set(int count) =>
        Assert.Throws<ArgumentException>(() => DiskSetWriter.Write([.. Enumerable.Repeat(((string?)null, s_second), count)]));

    [Fact]
    public void The_room_for_bodies_is_for_all_disks_together()
    {
        var file = DiskSetWriter.Write([(null, s_first), (null, s_first)]);
        var body = BinaryPrimitives.ReadInt32LittleEndian(s_first.AsSpan(12));
        Assert.True(ImageDisks.TryParse(file, out _, out _, maxBodyBytes: 2 * body));
        Assert.False(ImageDisks.TryParse(file, out _, out var failure, maxBodyBytes: 2 * body - 1));
        Assert.Contains("exceeds", failure.Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public void Cut_anywhere_or_longer_it_is_refused()
    {
        var file = DiskSetWriter.Write([("S1", s_second), ("S2", s_second)]);
        for (var length = 0; length < file.Length; length += 97)
            Assert.False(ImageDisks.TryParse(file.AsSpan(0, length), out _, out _));
        Assert.False(ImageDisks.TryParse([.. file, 0], out _, out _));
        Assert.False(ImageDisks.TryParse(Resealed([.. file[..^32], 0, .. new byte[32]]), out _, out var failure));
        Assert.Contains("follow the last disk", failure.Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public void Changed_sets_are_read_or_refused_and_never_more()
    {
        var image = DiskSetWriter.Write([("serial one", s_second), ("serial two", s_second), (null, s_second)]);
        var second = 16 + 2 + 10 + 4 + s_second.Length;
        var third = second + 2 + 10 + 4 + s_second.Length;
        var fuzzer = new Fuzzer(image, [(8, 40), (8, 40), (second, 48), (second, 48), (third, 40), (image.Length - 640, 64)]);
        var summary = fuzzer.Run(20_000, _ =>
        {
            if (!ImageDisks.TryParse(image, out var parsed, out var failure))
                return failure.Code;
            // Magic 1 byte off is no set any more and no manifest either; whatever is read has two disks or more.
            Assert.InRange(parsed.Disks.Count, 2, 32);
            return "read";
        }, fuzz => fuzz.Write(image.Length - 32, SHA256.HashData(image.AsSpan(0, image.Length - 32))));
        output.WriteLine(summary);
        Assert.Contains("manifestCorrupt", summary, StringComparison.Ordinal);
        Assert.Contains("read", summary, StringComparison.Ordinal);
    }

    private static byte[] Resealed(byte[] file)
    {
        SHA256.HashData(file.AsSpan(0, file.Length - 32), file.AsSpan(file.Length - 32));
        return file;
    }
}
