using System.Text;

namespace ImageForge.Imaging.FileSystems;

/// <summary>
/// Linux swap space. Only the first page, which carries version, size, UUID and label, is used; what was swapped out means nothing to
/// the next boot. A suspended system keeps its memory here and replaces the mark: that is taken whole.
/// Layout (Linux include/linux/swap.h, union swap_header): 1024 version 1, 1028 last page, 1032 bad pages, 1036 UUID, 1052 label;
/// the last ten bytes of the page hold the mark. The page is that of the machine that made it: 4 KiB to 64 KiB. Numbers are in that machine's order.
/// </summary>
internal sealed class SwapReader : IFileSystemReader
{
    private const int MarkBytes = 10;

    // Hibernation: kernel/power/swap.c (S1SUSPEND), uswsusp (S2SUSPEND, ULSUSPEND), TuxOnIce, and an early kernel's LINHIB0001, as libblkid lists them.
    private static readonly byte[][] s_suspended =
    [
        [.. "S1SUSPEND"u8], [.. "S2SUSPEND"u8], [.. "ULSUSPEND"u8], [.. "LINHIB0001"u8], [0xED, 0xC3, 0x02, 0xE9, 0x98, 0x56, 0xE5, 0x0C],
    ];

    public string Name => "Linux swap";

    public bool IsPresent(VolumeReader volume) => PageSize(volume, out _) > 0;

    public VolumeContent Read(VolumeReader volume)
    {
        var page = PageSize(volume, out var suspended);
        var header = volume.Read(1024, 44);
        var bigEndian = header.U32(0) == 0x0100_0000;
        if (header.U32(0) != 1 && !bigEndian)
            throw new DamagedVolumeException($"its version is {header.U32(0)}");
        var uuid = header.AsSpan(12, 16).ContainsAnyExcept((byte)0) ? new Guid(header.AsSpan(12, 16), bigEndian: true).ToString() : null;
        var label = Label(header.AsSpan(28, 16));
        if (suspended)
            return VolumeProbe.AllUsed(FileSystemKind.Swap, volume.Length, uuid, label,
                "A suspended system keeps its memory here (resume it and shut it down): taken with every block.") with
            {
                State = VolumeState.Hibernated,
            };

        var last = bigEndian ? System.Buffers.Binary.BinaryPrimitives.ReverseEndianness(header.U32(4)) : header.U32(4);
        var end = (last + 1L) * page;
        if (last == 0 || end > volume.Length)
            throw new DamagedVolumeException($"it claims {last} pages of {page} bytes, and the partition has {volume.Length / page - 1}");
        var map = new UsedMap(volume.Length, 4096, volume.SectorSize);
        map.MarkBytes(0, page);
        // Less than a page is what does not fill one; more is not part of the swap space.
        if (volume.Length - end >= page)
            map.MarkFrom(end);
        return new VolumeContent(FileSystemKind.Swap, map.BlockSize, map.Blocks, uuid, label, "Kept as UUID and label, without what was swapped out.");
    }

    /// <summary>0: no swap space. The smallest page wins: beyond it lies what was swapped out, which may be anything.</summary>
    private static int PageSize(VolumeReader volume, out bool suspended)
    {
        for (var page = 4096; page <= 65536; page *= 2)
        {
            suspended = Array.Exists(s_suspended, mark => volume.Has(page - MarkBytes, mark));
            if (suspended || volume.Has(page - MarkBytes, "SWAPSPACE2"u8))
                return page;
        }
        suspended = false;
        return 0;
    }

    private static string? Label(ReadOnlySpan<byte> bytes)
    {
        var end = bytes.IndexOf((byte)0);
        return end == 0 ? null : Encoding.UTF8.GetString(end < 0 ? bytes : bytes[..end]);
    }
}
