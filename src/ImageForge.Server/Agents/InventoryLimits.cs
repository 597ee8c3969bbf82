using ImageForge.Contracts;
using ImageForge.Server.Hosts;

namespace ImageForge.Server.Agents;

/// <summary>Cuts an inventory to what is kept: device text limited and cleaned, lists bounded, absent parts made empty.</summary>
internal static class InventoryLimits
{
    public const int MaxDisks = 64;
    public const int MaxNics = 64;

    /// <summary>Every member may be null: the JSON came from the network.</summary>
    public static Inventory Apply(Inventory told) => new(
        told.Platform,
        DeviceText.Limit(told.Architecture) ?? "unknown",
        DeviceText.Limit(told.Uuid),
        DeviceText.Limit(told.Serial),
        DeviceText.Limit(told.AssetTag),
        DeviceText.Limit(told.Manufacturer),
        DeviceText.Limit(told.Product),
        DeviceText.Limit(told.FirmwareVersion),
        new CpuInventory(DeviceText.Limit(told.Cpu?.Model) ?? "unknown", Count(told.Cpu?.Sockets), Count(told.Cpu?.Cores), Count(told.Cpu?.Threads)),
        Math.Max(0, told.MemoryBytes),
        [.. (told.Disks ?? []).Where(static d => d is not null).Take(MaxDisks).Select(Disk)],
        [.. (told.Nics ?? []).Where(static n => n is not null).Take(MaxNics).Select(Nic)]);

    private static DiskInventory Disk(DiskInventory disk) => disk with
    {
        Name = DeviceText.Limit(disk.Name) ?? "unknown",
        Model = DeviceText.Limit(disk.Model),
        Serial = DeviceText.Limit(disk.Serial),
        Wwn = DeviceText.Limit(disk.Wwn),
        Bus = DeviceText.Limit(disk.Bus),
        SizeBytes = Math.Max(0, disk.SizeBytes),
    };

    private static NicInventory Nic(NicInventory nic) => nic with
    {
        Name = DeviceText.Limit(nic.Name) ?? "unknown",
        Mac = DeviceText.Limit(nic.Mac) ?? "",
        Driver = DeviceText.Limit(nic.Driver),
    };

    private static int Count(int? value) => Math.Clamp(value ?? 0, 0, 1 << 16);
}
