using ImageForge.Multicast.Blocks;

namespace ImageForge.Multicast.Tests;

public sealed class BlockShapeTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(1408)]
    [InlineData(1409)]
    [InlineData(192 * 1408)]
    [InlineData((192 * 1408) + 1)]
    [InlineData(1 << 20)]
    [InlineData(BlockShape.LargestBlock)]
    public void Every_fragment_is_in_exactly_one_place_of_one_group(int length)
    {
        var shape = new BlockShape(length, 1408);
        var places = Enumerable.Range(0, shape.Fragments).Select(f => (Group: shape.GroupOf(f), Index: shape.IndexOf(f))).ToHashSet();

        Assert.Equal(shape.Fragments, places.Count);
        for (var group = 0; group < shape.Groups; group++)
        {
            Assert.InRange(shape.GroupSize(group), 1, BlockShape.MaxGroup);
            Assert.Equal(shape.GroupSize(group), places.Count(p => p.Group == group));
            for (var index = 0; index < shape.GroupSize(group); index++)
                Assert.True(places.Contains((group, index)) && shape.GroupOf(shape.FragmentAt(group, index)) == group);
        }
    }
}
