using ImageForge.Multicast.Blocks;
using ImageForge.Multicast.Parity;

namespace ImageForge.Multicast.Tests.Parity;

public sealed class CauchyCodeTests
{
    private const int F = 64;

    /// <summary>The formula of the README, written out with slow arithmetic.</summary>
    [Fact]
    public void A_row_is_the_sum_that_the_readme_says()
    {
        var shape = new BlockShape(F * 400, F);
        var block = Bytes(shape, 1);
        foreach (var (group, row) in ((int, int)[])[(0, 0), (1, 7), (2, 63)])
        {
            var parity = new byte[F];
            CauchyCode.EncodeRow(block, shape, group, row, parity);
            for (var at = 0; at < F; at++)
            {
                byte sum = 0;
                for (var i = 0; i < shape.GroupSize(group); i++)
                    sum ^= GaloisField.Multiply(block[(((i * shape.Groups) + group) * F) + at], GaloisField.Invert((byte)((255 - row) ^ i)));
                Assert.Equal(sum, parity[at]);
            }
        }
    }

    /// <summary>Any k of the k + 64 packets of a group give it back, to the bit; 500 random choices, all sizes of groups.</summary>
    [Fact]
    public void Any_k_packets_give_the_group_back()
    {
        var seed = Environment.TickCount;
        for (var n = 0; n < 500; n++)
        {
            var random = new Random(seed + n);
            var shape = new BlockShape(F * random.Next(1, 600), F);
            Check(shape, random.Next(shape.Groups), random.Next(1, BlockShape.MaxRows + 1), random, $"seed {seed + n}");
        }
    }

    [Fact]
    public void The_largest_group_survives_the_loss_of_sixty_four() =>
        Check(new BlockShape(F * BlockShape.MaxGroup, F), 0, BlockShape.MaxRows, new Random(9), "largest");

    private static void Check(BlockShape shape, int group, int lost, Random random, string what)
    {
        var block = Bytes(shape, random.Next());
        var size = shape.GroupSize(group);
        lost = Math.Min(lost, size);
        int[] indexes = [.. Enumerable.Range(0, size)], rows = [.. Enumerable.Range(0, BlockShape.MaxRows)];
        random.Shuffle(indexes);
        random.Shuffle(rows);
        int[] missing = [.. indexes.Take(lost).Order()];
        var parity = new byte[lost * F];
        for (var i = 0; i < lost; i++)
            CauchyCode.EncodeRow(block, shape, group, rows[i], parity.AsSpan(i * F));
        var damaged = block.ToArray();
        foreach (var index in missing)
            random.NextBytes(damaged.AsSpan(shape.FragmentAt(group, index) * F, F));
        CauchyCode.Decode(damaged, shape, group, missing, rows.AsSpan(0, lost), parity);
        Assert.True(block.AsSpan().SequenceEqual(damaged), what);
    }

    private static byte[] Bytes(BlockShape shape, int seed)
    {
        var bytes = new byte[shape.Fragments * shape.FragmentBytes];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }
}
