using System.Buffers.Binary;
using System.Text;
using ImageForge.Imaging.Disks;

namespace ImageForge.Imaging.Imports;

/// <summary>
/// An empty swap space, as <c>mkswap -U -L</c> makes it (include/linux/swap.h, union swap_header): version u32 at 1024, last page u32,
/// bad pages u32, UUID 16 bytes, label 16 bytes; "SWAPSPACE2" at the end of the first page.
/// </summary>
internal static class SwapHeader
{
    private const int Page = 4096;

    public static void Write(IBlockDevice disk, Partition partition, Guid? uuid, string? label)
    {
        if (partition.Length < 10 * Page)
            return;
        using var page = AlignedBuffer.Rent(Page);
        page.Span.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(page.Span[1024..], 1);
        BinaryPrimitives.WriteUInt32LittleEndian(page.Span[1028..], (uint)Math.Min(partition.Length / Page - 1, uint.MaxValue));
        (uuid ?? Guid.CreateVersion7()).TryWriteBytes(page.Span.Slice(1036, 16), bigEndian: true, out _);
        if (label is not null)
            Encoding.UTF8.GetBytes(label).AsSpan(0, Math.Min(Encoding.UTF8.GetByteCount(label), 15)).CopyTo(page.Span[1052..]);
        "SWAPSPACE2"u8.CopyTo(page.Span[(Page - 10)..]);
        disk.Write(partition.Offset, page.Span);
    }
}
