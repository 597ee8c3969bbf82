namespace ImageForge.Multicast.Blocks;

/// <summary>How the bytes of a block become fragments and groups (README.md, Blocks).</summary>
/// <param name="Length">Bytes of the block, 1 to <see cref="LargestBlock"/>.</param>
/// <param name="FragmentBytes">Bytes of each fragment, a multiple of 64.</param>
public readonly record struct BlockShape(int Length, int FragmentBytes)
{
    /// <summary>Fragments of a group at most; with <see cref="MaxRows"/> it fits GF(256).</summary>
    public const int MaxGroup = 192;

    /// <summary>Parity rows of a group at most.</summary>
    public const int MaxRows = 64;

    /// <summary>A 16 MiB chunk stored as it is, its zstd overhead and the table.</summary>
    public const int LargestBlock = 17 << 20;

    public int Fragments => (Length + FragmentBytes - 1) / FragmentBytes;

    public int Groups => (Fragments + MaxGroup - 1) / MaxGroup;

    /// <summary>Fragments in the group: differs by one at most.</summary>
    public int GroupSize(int group) => (Fragments - group + Groups - 1) / Groups;

    public int GroupOf(int fragment) => fragment % Groups;

    public int IndexOf(int fragment) => fragment / Groups;

    public int FragmentAt(int group, int index) => (index * Groups) + group;
}
