using System.Globalization;
using System.Runtime.InteropServices;
using ImageForge.Contracts;

namespace ImageForge.Agent.Inventory;

/// <summary>Everything the agent knows about its machine, read in a few milliseconds without any other program.</summary>
internal static class InventoryReader
{
    public static Contracts.Inventory Read(SystemRoot root, IDisks disks, MacAddress? bootMac)
    {
        var dmi = DmiTable.Read(root);
        var nics = NicTable.Read(root, bootMac);
        if (bootMac is null && NicTable.BootMac(nics, null) is { } guessed)
            nics = NicTable.Read(root, guessed);
        return new Contracts.Inventory(
            root.Exists("/sys/firmware/efi") ? FirmwarePlatform.Uefi : FirmwarePlatform.Bios,
            RuntimeInformation.OSArchitecture switch
            {
                Architecture.X64 => "x86_64",
                Architecture.Arm64 => "arm64",
                var other => other.ToString().ToLowerInvariant(),
            },
            dmi.Uuid, dmi.Serial, dmi.AssetTag, dmi.Manufacturer, dmi.Product, dmi.FirmwareVersion,
            CpuTable.Read(root),
            MemoryBytes(root),
            disks.List(),
            nics);
    }

    /// <summary>MemTotal of /proc/meminfo: what the kernel may use, a little less than what is plugged in. Written as <c>MemTotal:  1004228 kB</c>.</summary>
    private static long MemoryBytes(SystemRoot root)
    {
        foreach (var line in root.Lines("/proc/meminfo", mostBytes: 16 << 10))
        {
            var columns = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (columns is ["MemTotal:", var kibibytes, ..] && long.TryParse(kibibytes, NumberStyles.None, CultureInfo.InvariantCulture, out var count))
                return count * 1024;
        }
        return 0;
    }
}
