using ImageForge.Contracts;

namespace ImageForge.Agent.Inventory;

/// <summary>Whole disks from /sys/block, without anything that is made of another device or of memory.</summary>
internal static class DiskTable
{
    private const string Folder = "/sys/block";

    /// <summary>/sys/block/*/size counts 512-byte units whatever the sector size (Documentation/ABI/stable/sysfs-block).</summary>
    private const int SizeUnit = 512;

    private static readonly string[] NotDisks = ["loop", "ram", "zram", "sr", "fd", "dm-", "md", "nbd", "drbd", "rbd", "mtdblock"];

    public static IReadOnlyList<DiskInventory> Read(SystemRoot root)
    {
        var mounted = MountedDevices(root);
        var disks = new List<DiskInventory>();
        foreach (var name in root.Names(Folder))
        {
            var disk = $"{Folder}/{name}";
            if (IsDisk(root, name, disk) && root.Number($"{disk}/size") is > 0 and var units)
                disks.Add(Read(root, name, disk, units * SizeUnit, mounted));
        }
        return disks;
    }

    private static bool IsDisk(SystemRoot root, string name, string disk) =>
        !NotDisks.Any(prefix => name.StartsWith(prefix, StringComparison.Ordinal))
        // eMMC boot areas and the replay-protected block are devices of their own beside mmcblk0.
        && !(name.StartsWith("mmcblk", StringComparison.Ordinal) && name.AsSpan(6).ContainsAny("brp"))
        // One path of a multipath NVMe namespace (nvme0c0n1) is hidden; nvme0n1 stands for all of them.
        && !root.Flag($"{disk}/hidden")
        && root.Exists($"{disk}/device");

    private static DiskInventory Read(SystemRoot root, string name, string disk, long size, HashSet<string> mounted)
    {
        var devicePath = root.LinkTarget(disk) ?? disk;
        var identity = DiskIdentity.Read(root, disk, devicePath);
        var bus = DiskBus.Of(devicePath);
        var logical = (int)(root.Number($"{disk}/queue/logical_block_size") ?? 512);
        return new DiskInventory(
            name,
            identity.Model,
            identity.Serial,
            identity.Wwn,
            size,
            logical,
            (int)(root.Number($"{disk}/queue/physical_block_size") ?? logical),
            root.Flag($"{disk}/queue/rotational"),
            // The kernel's flag means "the medium can be taken out of the drive". USB disks and SD cards count as fixed there;
            // people pull them out all the same, and a deploy must not land on one because the inner disk is dead.
            root.Flag($"{disk}/removable") || bus == "usb" || root.Text($"{disk}/device/type") == "SD",
            root.Flag($"{disk}/ro"),
            bus,
            IsMounted(root, disk, mounted));
    }

    /// <summary>The live system never mounts a disk it images, so a mounted disk is the one it was started from.</summary>
    private static bool IsMounted(SystemRoot root, string disk, HashSet<string> mounted) =>
        mounted.Count > 0
        && (mounted.Contains(root.Text($"{disk}/dev") ?? "-")
            || root.Names(disk).Any(part => root.Exists($"{disk}/{part}/partition") && mounted.Contains(root.Text($"{disk}/{part}/dev") ?? "-")));

    /// <summary>major:minor of everything mounted: the third column of /proc/self/mountinfo (proc(5)).</summary>
    private static HashSet<string> MountedDevices(SystemRoot root)
    {
        var devices = new HashSet<string>(StringComparer.Ordinal);
        foreach (var line in root.Lines("/proc/self/mountinfo", mostBytes: 1 << 20))
        {
            var columns = line.Split(' ', 4);
            if (columns.Length == 4 && !columns[2].StartsWith("0:", StringComparison.Ordinal))
                devices.Add(columns[2]);
        }
        return devices;
    }
}
