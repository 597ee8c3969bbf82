using System.Numerics;

namespace ImageForge.Imaging.Chunks;

/// <summary>The limits of the capture parameter <em>chunk size</em>.</summary>
public static class ChunkSizes
{
    public const int Smallest = 64 << 10;
    public const int Largest = 16 << 20;

    /// <summary>What a capture is told when it shall choose itself, see <see cref="For"/>.</summary>
    public const int Automatic = 0;

    /// <summary>Chosen from the table in this folder's README.md: half the growth of 1 MiB under scattered changes for 2 % more stored bytes.</summary>
    public const int Default = 256 << 10;

    /// <summary>Ids take 32 bytes each in the memory of an agent and in every manifest: never more than 32 MiB of them.</summary>
    private const long MostWithContent = 1 << 20, MostAtAll = 16 << 20;

    /// <summary><see cref="Default"/> up to 256 GiB of content, twice as large for each doubling beyond.</summary>
    /// <param name="usedBytes">Of all volumes of the disk.</param>
    public static int For(long usedBytes, long diskBytes)
    {
        var size = Default;
        while (size < Largest && (usedBytes / size > MostWithContent || diskBytes / size > MostAtAll))
            size *= 2;
        return size;
    }

    public static bool IsValid(long size) => size is >= Smallest and <= Largest && BitOperations.IsPow2(size);
}
