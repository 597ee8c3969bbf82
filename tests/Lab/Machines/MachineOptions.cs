namespace ImageForge.Lab.Machines;

/// <summary>How the machine's firmware asks the network.</summary>
public enum Firmware
{
    /// <summary>SeaBIOS with QEMU's network ROM, which is iPXE 1.0.0 of 2019.</summary>
    Bios,

    /// <summary>OVMF with its own PXE stack (no option ROM on the card): a client that is not iPXE.</summary>
    UefiPxe,

    /// <summary>OVMF that only tries HTTP boot (architecture 16).</summary>
    UefiHttp,
}

/// <param name="Path">A raw image file.</param>
/// <param name="Serial">Shown to the guest; at most 20 characters.</param>
/// <param name="BytesPerSecond">0: as fast as it goes; else throttled, so that a test can step into the middle of a transfer.</param>
public sealed record MachineDisk(string Path, string Serial, long BytesPerSecond = 0);

public sealed record MachineOptions(string Name, string Mac, Firmware Firmware = Firmware.Bios)
{
    public IReadOnlyList<MachineDisk> Disks { get; init; } = [];

    public int MemoryMiB { get; init; } = 1024;

    public string Uuid { get; init; } = "3f0c9d5e-1111-4222-8333-52540077aa01";

    public string Serial { get; init; } = "LAB-0001";

    /// <summary>False: no network boot entry, the machine starts from its disk.</summary>
    public bool NetworkBoot { get; init; } = true;

    /// <summary>Chosen by measurement inside a guest, see README.md.</summary>
    public string Cpu { get; init; } = "Westmere";

    /// <summary>True: the process ends when the guest restarts, so that a test sees the restart.</summary>
    public bool EndOnReboot { get; init; }

    /// <summary>For machines that boot a kernel directly, without firmware and network.</summary>
    public (string Kernel, string Initrd, string CommandLine)? Direct { get; init; }
}
