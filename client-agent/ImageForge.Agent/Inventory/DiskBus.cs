namespace ImageForge.Agent.Inventory;

/// <summary>How a disk is attached, read off the device path the kernel gave it.</summary>
internal static class DiskBus
{
    // The order decides: a USB disk is also a SCSI host, a SATA disk too, and a virtio-scsi disk has a virtio parent.
    private static readonly (string InPath, string Bus)[] Marks =
    [
        ("/usb", "usb"),
        ("/nvme-fabrics", "nvmeof"),
        ("/nvme", "nvme"),
        ("/mmc", "mmc"),
        ("/ata", "sata"),
        ("/end_device-", "sas"),
        ("/session", "iscsi"),
        ("/rport-", "fc"),
        ("/host", "scsi"),
        ("/virtio", "virtio"),
        ("/vbd-", "xen"),
    ];

    /// <param name="devicePath">For example /sys/devices/pci0000:00/0000:00:1f.2/ata1/host0/target0:0:0/0:0:0:0/block/sda.</param>
    public static string? Of(string devicePath)
    {
        foreach (var (inPath, bus) in Marks)
        {
            if (devicePath.Contains(inPath, StringComparison.Ordinal))
                return bus;
        }
        return null;
    }
}
