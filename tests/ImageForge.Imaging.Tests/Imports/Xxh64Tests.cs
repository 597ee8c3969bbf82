using System.Text;
using ImageForge.Imaging.Imports.Partclone;

namespace ImageForge.Imaging.Tests.Imports;

public sealed class Xxh64Tests
{
    // xxhsum -H1 of these texts (xxHash 0.8).
    [Theory]
    [InlineData("", 0xEF46DB3751D8E999)]
    [InlineData("a", 0xD24EC4F1A98C6E5B)]
    [InlineData("abc", 0x44BC2CF5AD770999)]
    [InlineData("Nobody inspects the spammish repetition", 0xFBCEA83C8A378BF1)]
    public void Hashes_as_the_reference_does(string text, ulong expected)
    {
        var hash = new Xxh64();
        hash.Update(Encoding.ASCII.GetBytes(text));
        Assert.Equal(expected, hash.Digest());
    }

    [Fact]
    public void Pieces_make_no_difference_and_a_reset_begins_anew()
    {
        var bytes = new byte[5000];
        new Random(1).NextBytes(bytes);
        var (whole, pieces) = (new Xxh64(), new Xxh64());
        whole.Update(bytes);
        pieces.Update(bytes.AsSpan(0, 700));
        pieces.Reset();
        for (var at = 0; at < bytes.Length; at += 13)
            pieces.Update(bytes.AsSpan(at, Math.Min(13, bytes.Length - at)));
        Assert.Equal(whole.Digest(), pieces.Digest());
    }
}
