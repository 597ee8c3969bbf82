namespace ImageForge.Imaging.FileSystems;

/// <summary>
/// Whether $LogFile has work left. It starts with two restart pages: 0 "RSTR", 16 page size, 24 offset of the restart area, 28 major version; in the area
/// 0 last LSN (64 bits), 10 free and 12 used client list (0xFFFF = none), 14 flags (2 = volume is clean). The page with the higher LSN counts.
/// Windows 8 and later turn the log to version 2.0 when they mount and back to 1.1 when they dismount cleanly (Microsoft, "Windows 8
/// volume compatibility considerations"): 2.0 means that metadata may be in the memory of a hibernated Windows, whatever the flags say.
/// A log filled with 0xFF is empty: mkfs and ntfs-3g leave it so.
/// </summary>
internal static class NtfsLogFile
{
    private const ushort NoClient = 0xFFFF, VolumeIsClean = 2, CleanMajorVersion = 1, MountedMajorVersion = 2;

    public static NtfsLogState StateOf(VolumeReader volume, NtfsFile log)
    {
        // No Windows makes one so short: it tells nothing.
        if (log.Size < 4096)
            return NtfsLogState.Pending;
        var first = ReadPage(volume, log, 0);
        var pageSize = first is null ? 4096 : (int)Math.Min(first.U32(16), 65536);
        var second = ReadPage(volume, log, pageSize);
        if (first is null && second is null)
            return IsEmpty(volume, log) ? NtfsLogState.Clean : NtfsLogState.Pending;
        var a = first is null ? null : ReadArea(first);
        var b = second is null ? null : ReadArea(second);
        var newest = a is { } x && b is { } y ? (y.Lsn > x.Lsn ? y : x) : a ?? b;
        // A log that cannot be understood may hold anything.
        return newest?.State ?? NtfsLogState.Pending;
    }

    /// <summary>A restart page with its fixups undone, or null if there is none.</summary>
    private static byte[]? ReadPage(VolumeReader volume, NtfsFile log, long offset)
    {
        if (offset < 4096 && offset != 0 || offset > log.Size - 4096)
            return null;
        var head = new byte[4096];
        log.Read(volume, offset, head);
        // "CHKD" marks a page chkdsk has changed.
        if (!head.AsSpan().StartsWith("RSTR"u8) && !head.AsSpan().StartsWith("CHKD"u8))
            return null;
        var size = head.U32(16);
        if (size is < 4096 or > 65536 || (size & (size - 1)) != 0 || offset > log.Size - size)
            return null;
        var page = new byte[size];
        log.Read(volume, offset, page);
        try
        {
            NtfsRecord.ApplyFixups(page, "a restart page");
        }
        catch (DamagedVolumeException)
        {
            return null;
        }
        return page;
    }

    private static (ulong Lsn, NtfsLogState State)? ReadArea(byte[] page)
    {
        int area = page.U16(24);
        if (area < 48 || area > page.Length - 48)
            return null;
        var state = page.U16(28) switch
        {
            CleanMajorVersion when page.U16(area + 12) == NoClient || (page.U16(area + 14) & VolumeIsClean) != 0 => NtfsLogState.Clean,
            MountedMajorVersion => NtfsLogState.HeldByWindows,
            _ => NtfsLogState.Pending,
        };
        return (page.U64(area), state);
    }

    private static bool IsEmpty(VolumeReader volume, NtfsFile log)
    {
        var start = new byte[8192 <= log.Size ? 8192 : 4096];
        log.Read(volume, 0, start);
        return !start.AsSpan().ContainsAnyExcept((byte)0xFF) || !start.AsSpan().ContainsAnyExcept((byte)0);
    }
}

internal enum NtfsLogState
{
    Clean,

    /// <summary>Transactions have to be finished first, or the log cannot be understood.</summary>
    Pending,

    /// <summary>Version 2.0: a Windows has it mounted, is hibernated with it, or lost power.</summary>
    HeldByWindows,
}
