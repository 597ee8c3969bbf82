using System.Globalization;
using ImageForge.Contracts;
using ImageForge.Imaging.Disks;

namespace ImageForge.Imaging.LocalStore;

/// <summary>What the file system below a store refuses, in sentences.</summary>
internal static class StoreFailures
{
    public static T Guard<T>(LocalStoreFolder folder, Func<T> action)
    {
        try
        {
            return action();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Of(folder, e);
        }
    }

    public static FailureException Of(LocalStoreFolder folder, Exception e) => e switch
    {
        // .NET keeps the errno of Linux in HResult.
        IOException { HResult: Errno.ENOSPC or Errno.EDQUOT } => new FailureException("storeFull", Fault.Disk,
            string.Create(CultureInfo.InvariantCulture, $"The store {folder.Root} has no room left ({new DriveInfo(folder.Root).AvailableFreeSpace:N0} bytes free)."),
            "Delete images or versions that are no longer needed, or use a larger disk.", e),
        UnauthorizedAccessException or IOException { HResult: Errno.EROFS } => new FailureException("storeDenied", Fault.Disk,
            $"The store {folder.Root} cannot be written: {e.Message}", "Run the program with the right to write there, or name another store.", e),
        _ => new FailureException("storeError", Fault.Disk, $"The store {folder.Root} could not be written: {e.Message}", "Check the disk below the store, then start again.", e),
    };
}
