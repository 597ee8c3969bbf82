using ImageForge.Imaging.FileSystems;

namespace ImageForge.Imaging.Tests.FileSystems;

/// <summary>Against a plain array of booleans, with ranges and bitmaps at every alignment.</summary>
public sealed class BlockMapTests
{
    [Fact]
    public void Ranges_and_bitmaps_do_what_they_do_to_an_array()
    {
        var seed = Random.Shared.Next();
        var random = new Random(seed);
        for (var round = 0; round < 300; round++)
        {
            var truth = new bool[random.Next(1, 700)];
            var map = new BlockMap(truth.Length);
            for (var step = 0; step < 20; step++)
            {
                var first = random.Next(truth.Length);
                var count = random.Next(truth.Length - first + 1);
                switch (random.Next(3))
                {
                    case 0:
                        map.Set(first, count);
                        truth.AsSpan(first, count).Fill(true);
                        break;
                    case 1:
                        map.Clear(first, count);
                        truth.AsSpan(first, count).Clear();
                        break;
                    default:
                        var bits = new byte[(count + 7) / 8];
                        random.NextBytes(bits);
                        map.SetBits(first, bits, count);
                        for (var i = 0; i < count; i++)
                            truth[first + i] |= (bits[i / 8] >> (i % 8) & 1) != 0;
                        break;
                }
                Assert.True(map.CountUsed(first, count) == truth.AsSpan(first, count).Count(true), $"seed {seed}, round {round}");
            }
            for (var i = 0; i < truth.Length; i++)
                Assert.True(map[i] == truth[i], $"seed {seed}, round {round}, block {i}");
        }
    }

    [Fact]
    public void Blocks_outside_are_refused()
    {
        var map = new BlockMap(100);
        Assert.Throws<ArgumentOutOfRangeException>(() => map.Set(90, 11));
        Assert.Throws<ArgumentOutOfRangeException>(() => map.SetBits(99, [1], 2));
        Assert.Throws<ArgumentOutOfRangeException>(() => map[100]);
        Assert.Throws<ArgumentOutOfRangeException>(() => map.CountUsed(-1, 1));
    }

    [Theory]
    [InlineData(1024, 4096, 0)]
    [InlineData(4096, 1024, 512)]
    [InlineData(512, 512, 1536)]
    [InlineData(65536, 512, 512)]
    public void A_map_collected_in_other_units_never_loses_a_byte(int unit, int sectorSize, int shift)
    {
        var random = new Random(unit + shift);
        const int volume = 4 << 20;
        for (var round = 0; round < 50; round++)
        {
            var map = new UsedMap(volume, unit, sectorSize);
            var bits = new byte[random.Next(1, 100)];
            random.NextBytes(bits);
            var count = Math.Min(random.Next(1, bits.Length * 8), (volume - shift) / unit);
            map.MarkBits(shift, unit, bits, count);
            var expected = new HashSet<long>();
            for (var i = 0; i < count; i++)
                if ((bits[i / 8] >> (i % 8) & 1) != 0)
                    for (var at = shift + (long)i * unit; at < shift + (long)(i + 1) * unit; at += 512)
                        expected.Add(at / map.BlockSize);
            for (long block = 0; block < map.Blocks.BlockCount; block++)
                Assert.Equal(expected.Contains(block), map.Blocks[block]);
        }
    }

    [Fact]
    public void A_huge_volume_gets_a_map_of_bounded_size()
    {
        var map = new UsedMap(16L << 40, 4096, 512);
        Assert.InRange(map.Blocks.BlockCount, 1, 1L << 28);
        map.MarkBytes((16L << 40) - 1, 1);
        Assert.Equal(1, map.Blocks.CountUsed());
    }
}
