using System.Numerics;

namespace ImageForge.Imaging.Chunks;

/// <summary>The limits of the capture parameter <em>chunk size</em>.</summary>
public static class ChunkSizes
{
    public const int Smallest = 64 << 10;
    public const int Largest = 16 << 20;
    public const int Default = 1 << 20;

    public static bool IsValid(long size) => size is >= Smallest and <= Largest && BitOperations.IsPow2(size);
}
