using ImageForge.Agent.Screen;
using ImageForge.Contracts;
using ImageForge.Imaging.Deploy;

namespace ImageForge.Agent.Tasks;

/// <summary>
/// Whether the disk that is open for writing is the one the server said go for. Until it was opened its kernel name could pass to
/// another disk, and another disk that answers to the job could come.
/// </summary>
internal static class TargetStillAgreed
{
    /// <param name="agreed">The disk of the plan.</param>
    /// <param name="agreedBytes">Its size in the plan.</param>
    /// <param name="now">The choice made again with the disk open for writing.</param>
    /// <param name="openBytes">Size of the open disk.</param>
    /// <returns>Null when it is the same disk and still the only one that can be meant; else <c>targetDiskChanged</c>.</returns>
    public static Failure? Refusal(DiskInventory agreed, long agreedBytes, DiskChoice now, long openBytes)
    {
        if (!now.IsChosen)
            return Changed(agreed, now.Refusal.Sentence);
        if (Identity(now.Disk) != Identity(agreed))
            return Changed(agreed, $"Now the job would mean {Named(now.Disk)}.");
        return openBytes == agreedBytes ? null : Changed(agreed, $"Its size is now {openBytes} bytes, in the plan it was {agreedBytes}.");
    }

    private static (string, string?, string?, long) Identity(DiskInventory disk) => (disk.Name, disk.Serial, disk.Wwn, disk.SizeBytes);

    private static string Named(DiskInventory disk) => $"{Units.Disk(disk)}, WWN {Units.Printable(disk.Wwn ?? "none")}, {disk.SizeBytes} bytes";

    private static Failure Changed(DiskInventory agreed, string how) => new("targetDiskChanged", Fault.Disk,
        $"The disks changed after the server agreed to erase {Named(agreed)}. {how}",
        "Nothing was written. Check the cables and what was plugged in, name the disk in the job by its serial or WWN, and order the job again.");
}
