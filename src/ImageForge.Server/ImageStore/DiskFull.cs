using Microsoft.Data.Sqlite;

namespace ImageForge.Server.ImageStore;

/// <summary>How "no space left" looks, whoever says it.</summary>
internal static class DiskFull
{
    private const int NoSpace = 28, QuotaExceeded = 122, SqliteFull = 13;

    // .NET's own translation of ENOSPC where it recognises it (ERROR_DISK_FULL), else the raw errno.
    private const int DotNetDiskFull = unchecked((int)0x80070070);

    public static bool Is(Exception exception) => exception switch
    {
        IOException io => io.HResult is NoSpace or QuotaExceeded or DotNetDiskFull,
        SqliteException sqlite => sqlite.SqliteErrorCode == SqliteFull,
        _ => false,
    };
}
