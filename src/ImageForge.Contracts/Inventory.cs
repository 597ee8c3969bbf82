using System.Text.Json.Serialization;

namespace ImageForge.Contracts;

/// <summary>The firmware interface the machine booted through.</summary>
[JsonConverter(typeof(CamelCaseEnumConverter<FirmwarePlatform>))]
public enum FirmwarePlatform { Bios, Uefi }

/// <summary>What the agent found in the machine. Every string is device text: untrusted, length-limited, never rendered raw.</summary>
public sealed record Inventory(
    FirmwarePlatform Platform,
    string Architecture,
    string? Uuid,
    string? Serial,
    string? AssetTag,
    string? Manufacturer,
    string? Product,
    string? FirmwareVersion,
    CpuInventory Cpu,
    long MemoryBytes,
    IReadOnlyList<DiskInventory> Disks,
    IReadOnlyList<NicInventory> Nics);

public sealed record CpuInventory(string Model, int Sockets, int Cores, int Threads);

/// <param name="Name">Kernel name without /dev, for example <c>sda</c>.</param>
/// <param name="Bus">sata, nvme, virtio, usb, scsi, mmc … where the kernel tells.</param>
/// <param name="BootMedium">True for the medium the live system itself was started from.</param>
public sealed record DiskInventory(
    string Name,
    string? Model,
    string? Serial,
    string? Wwn,
    long SizeBytes,
    int LogicalSectorSize,
    int PhysicalSectorSize,
    bool Rotational,
    bool Removable,
    bool ReadOnly,
    string? Bus,
    bool BootMedium);

/// <param name="SpeedMegabits">Link speed in Mbit/s, null where the driver does not tell (most virtual NICs).</param>
public sealed record NicInventory(string Name, string Mac, string? Driver, int? SpeedMegabits, bool LinkUp, bool BootNic);
