using System.Globalization;
using ImageForge.Contracts;
using ImageForge.Server.Hosts;

namespace ImageForge.Server.Agents;

/// <summary>One text by which a disk is known again after a reboot. The kernel's name is not part of it: sda may be sdb tomorrow.</summary>
internal static class DiskIdentity
{
    public static string Of(DiskInventory disk)
    {
        if (!HostIdentity.IsJunk(disk.Wwn))
            return $"wwn {disk.Wwn}";
        if (!HostIdentity.IsJunk(disk.Serial))
            return $"serial {disk.Serial}";
        // Virtual disks often have neither.
        return string.Create(CultureInfo.InvariantCulture, $"{disk.Model ?? "disk"} of {disk.SizeBytes} bytes");
    }
}
