using ImageForge.Contracts;
using ImageForge.Imaging.Disks;
using ImageForge.Imaging.FileSystems;

namespace ImageForge.Imaging.Capture;

/// <summary>What a capture says that must not take a file system that was not closed cleanly (<see cref="DirtyVolumes.Refuse"/>).</summary>
internal static class UncleanVolume
{
    /// <summary>Null: the volume is clean, or nothing is known that says otherwise.</summary>
    public static Failure? Refusal(string disk, Partition partition, VolumeContent content)
    {
        var (code, what) = content.State switch
        {
            VolumeState.Clean => ("", ""),
            VolumeState.Dirty => ("volumeDirty", "was not closed cleanly or is marked for a check"),
            VolumeState.JournalPending => ("volumeJournalPending", "was not closed cleanly: its journal has work left"),
            VolumeState.Errors => ("volumeErrors", "is marked as having errors"),
            _ => ("volumeHibernated", "belongs to a system that is hibernated, was shut down with fast startup, or lost power"),
        };
        if (code.Length == 0)
            return null;
        var name = content.Label ?? partition.Name;
        var described = string.IsNullOrEmpty(name) ? KindName(content.Kind) : $"{KindName(content.Kind)}, \"{name}\"";
        return new Failure(code, Fault.Disk, $"Volume {partition.Number} of {disk} ({described}) {what}.",
            Cure(content) + " Then capture again, or order the capture with \"dirty\": \"whole\" to take every block of it.");
    }

    private static string KindName(FileSystemKind kind) => kind switch
    {
        FileSystemKind.Ntfs => "NTFS",
        FileSystemKind.ExFat => "exFAT",
        FileSystemKind.Fat12 or FileSystemKind.Fat16 or FileSystemKind.Fat32 or FileSystemKind.Xfs or FileSystemKind.F2fs or FileSystemKind.Lvm or FileSystemKind.Luks => kind.ToString().ToUpperInvariant(),
        FileSystemKind.Unknown => "unknown content",
        _ => kind.ToString().ToLowerInvariant(),
    };

    private static string Cure(VolumeContent content) => (content.Kind, content.State) switch
    {
        (FileSystemKind.Ntfs, VolumeState.Hibernated) => "Start Windows and shut it down fully with shutdown /s /f /t 0, or switch hibernation and fast startup off for good with powercfg /h off.",
        (FileSystemKind.Ntfs, VolumeState.Dirty) => "Run chkdsk /f on it in Windows, or start Windows and let it check the volume, and shut down with shutdown /s /f /t 0.",
        (FileSystemKind.Ntfs, _) => "Start Windows, which finishes the work, and shut it down fully with shutdown /s /f /t 0.",
        (FileSystemKind.Ext2 or FileSystemKind.Ext3 or FileSystemKind.Ext4, VolumeState.Errors) => "Repair it with e2fsck -f.",
        (FileSystemKind.Ext2 or FileSystemKind.Ext3 or FileSystemKind.Ext4, _) => "Start the machine and shut it down cleanly, or run e2fsck -p on it.",
        (FileSystemKind.Fat12 or FileSystemKind.Fat16 or FileSystemKind.Fat32, _) => "Run chkdsk /f on it in Windows or fsck.fat -a in Linux.",
        (FileSystemKind.ExFat, _) => "Run chkdsk /f on it in Windows or fsck.exfat in Linux.",
        (FileSystemKind.Xfs, VolumeState.Errors) => "Repair it with xfs_repair.",
        (FileSystemKind.F2fs, VolumeState.Errors) => "Repair it with fsck.f2fs -f.",
        (FileSystemKind.Btrfs, VolumeState.Errors) => "Look at it with btrfs check.",
        (_, VolumeState.Hibernated) => "Start the machine, which resumes the system, and shut it down.",
        _ => "Start the machine, or mount the file system, and shut it down cleanly.",
    };
}
