using System.Buffers.Binary;

namespace ImageForge.Agent.Inventory;

/// <summary>Model, serial number and world-wide name of a disk, from wherever its driver puts them.</summary>
internal sealed record DiskIdentity(string? Model, string? Serial, string? Wwn)
{
    private const int VpdHeader = 4;

    public static DiskIdentity Read(SystemRoot root, string disk, string devicePath)
    {
        var device = $"{disk}/device";
        var (ataModel, ataSerial) = AtaIdentity(root.Bytes($"{device}/vpd_pg89", 4096));
        var vendor = root.Text($"{device}/vendor");
        // "ATA" is the kernel's word for the SAT layer, not a vendor; virtio and NVMe put a PCI number here.
        var model = root.Text($"{device}/model") ?? root.Text($"{device}/name");
        if (model is not null && vendor is not null && vendor != "ATA" && !vendor.StartsWith("0x", StringComparison.Ordinal)
            && !model.StartsWith(vendor, StringComparison.Ordinal))
            model = SystemRoot.Clean($"{vendor} {model}");

        return new DiskIdentity(
            ataModel ?? model,
            ataSerial
                ?? UnitSerial(root.Bytes($"{device}/vpd_pg80", 256))
                ?? root.Text($"{disk}/serial")
                ?? root.Text($"{device}/serial")
                ?? UsbSerial(root, devicePath),
            Wwn(root.Text($"{device}/wwid") ?? root.Text($"{disk}/wwid")));

        static string? Wwn(string? wwid) =>
            // "t10.ATA QEMU HARDDISK QM00001" is model and serial again, no world-wide name.
            wwid is not null && (wwid.StartsWith("naa.", StringComparison.Ordinal) || wwid.StartsWith("eui.", StringComparison.Ordinal)
                || wwid.StartsWith("uuid.", StringComparison.Ordinal) || wwid.StartsWith("nvme.", StringComparison.Ordinal))
                ? wwid.ToLowerInvariant() : null;
    }

    /// <summary>
    /// Unit serial number page (SPC-4 7.8.18): byte 1 = 80h, bytes 2-3 = length (big endian), then ASCII.
    /// </summary>
    internal static string? UnitSerial(byte[]? page)
    {
        if (page is null || page.Length < VpdHeader || page[1] != 0x80)
            return null;
        var length = Math.Min(BinaryPrimitives.ReadUInt16BigEndian(page.AsSpan(2)), page.Length - VpdHeader);
        return SystemRoot.Clean(page.AsSpan(VpdHeader, length));
    }

    /// <summary>
    /// ATA information page (SAT-3 12.4.2): byte 1 = 89h, IDENTIFY DEVICE data (512 bytes) from byte 60. In it the serial number
    /// is words 10-19 and the model words 27-46, two swapped ASCII characters each. The SCSI model would be cut at 16 characters.
    /// </summary>
    internal static (string? Model, string? Serial) AtaIdentity(byte[]? page)
    {
        const int identify = 60;
        if (page is null || page.Length < identify + 512 || page[1] != 0x89)
            return (null, null);
        var data = page.AsSpan(identify);
        return (Swapped(data[54..94]), Swapped(data[20..40]));

        static string? Swapped(ReadOnlySpan<byte> words)
        {
            Span<byte> text = stackalloc byte[40];
            for (var i = 0; i < words.Length; i += 2)
                (text[i], text[i + 1]) = (words[i + 1], words[i]);
            return SystemRoot.Clean(text[..words.Length]);
        }
    }

    /// <summary>Bridges and sticks often have no unit serial page; the USB device above them (the folder with idVendor) has a string.</summary>
    private static string? UsbSerial(SystemRoot root, string devicePath)
    {
        for (var folder = Path.GetDirectoryName(devicePath); folder is { Length: > 1 } && folder != "/sys/devices"; folder = Path.GetDirectoryName(folder))
        {
            if (root.Exists($"{folder}/idVendor"))
                return root.Text($"{folder}/serial");
        }
        return null;
    }
}
