using ImageForge.Server.ImageStore;

namespace ImageForge.Server.Tests.ImageStore;

public sealed class ZstdFrameHeaderTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(255)]
    [InlineData(256)]
    [InlineData(257)]
    [InlineData(65_535)]
    [InlineData(65_536)]
    [InlineData(65_792)]
    [InlineData(1 << 20)]
    [InlineData((16 << 20) - 512)]
    [InlineData(16 << 20)]
    public void Reads_the_content_size_that_libzstd_wrote(int length) =>
        Assert.Equal(length, ZstdFrameHeader.ContentSize(TestChunk.Random(new Random(length), length).Frame));

    [Fact]
    public void Random_and_cut_headers_give_an_answer_or_null_and_never_throw()
    {
        var random = new Random(4711);
        var frame = TestChunk.Random(random, 70_000).Frame;
        var answers = 0;
        for (var i = 0; i < 100_000; i++)
        {
            var bytes = new byte[random.Next(0, 20)];
            random.NextBytes(bytes);
            if (bytes.Length >= 4)
                frame.AsSpan(0, 4).CopyTo(bytes);
            if (ZstdFrameHeader.ContentSize(bytes) is not null)
                answers++;
        }
        Assert.InRange(answers, 1, 99_999);
        for (var cut = 0; cut < 5; cut++)
            Assert.Null(ZstdFrameHeader.ContentSize(frame.AsSpan(0, cut)));
    }
}
