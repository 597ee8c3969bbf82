using System.Globalization;
using ImageForge.Lab.Networks;

namespace ImageForge.Lab.Machines;

/// <summary>A machine as QEMU's command line.</summary>
internal static class QemuArguments
{
    private const string OvmfCode = "/usr/share/OVMF/OVMF_CODE_4M.fd";
    private const string OvmfVariables = "/usr/share/OVMF/OVMF_VARS_4M.fd";

    public static List<string> Of(LabNetwork network, MachineOptions options, string tap, string socket)
    {
        // KVM is not used even where /dev/kvm exists: on nested hosts it starts and then fails after minutes.
        List<string> arguments =
        [
            "-accel", "tcg,thread=multi", "-cpu", options.Cpu, "-smp", "1",
            "-m", options.MemoryMiB.ToString(CultureInfo.InvariantCulture),
            "-nodefaults", "-no-user-config", "-display", "none", "-vga", "std", "-serial", "stdio",
            "-qmp", $"unix:{socket},server,nowait", "-name", options.Name, "-device", "virtio-rng-pci",
            "-smbios", $"type=1,manufacturer=ImageForge,product=Lab machine,serial={options.Serial},uuid={options.Uuid}",
        ];
        if (options.EndOnReboot)
            arguments.Add("-no-reboot");
        AddFirmware(arguments, network, options);

        // Without its option ROM the card is driven by OVMF itself: a PXE client that is not iPXE.
        var rom = options.Firmware == Firmware.Bios ? "" : ",romfile=";
        var index = options.NetworkBoot ? ",bootindex=0" : "";
        if (!options.NetworkBoot)
            rom = ",romfile=";
        arguments.AddRange(
        [
            "-netdev", $"tap,id=n0,ifname={tap},script=no,downscript=no",
            "-device", $"virtio-net-pci,netdev=n0,mac={options.Mac}{index}{rom}",
        ]);
        for (var i = 0; i < options.Disks.Count; i++)
        {
            var disk = options.Disks[i];
            var throttle = disk.BytesPerSecond > 0 ? string.Create(CultureInfo.InvariantCulture, $",throttling.bps-total={disk.BytesPerSecond}") : "";
            arguments.AddRange(
            [
                "-drive", $"if=none,id=d{i},file={disk.Path},format=raw,cache=writeback,discard=unmap{throttle}",
                "-device", $"virtio-blk-pci,id=disk{i},drive=d{i},serial={disk.Serial},bootindex={i + 1}",
            ]);
        }
        if (options.Direct is { } direct)
            arguments.AddRange(["-kernel", direct.Kernel, "-initrd", direct.Initrd, "-append", direct.CommandLine]);
        return arguments;
    }

    /// <summary>UEFI's memory of this machine; it outlives a power cycle.</summary>
    public static string VariablesFile(LabNetwork network, MachineOptions options) => Path.Combine(network.Folder, $"{options.Name}.vars.fd");

    private static void AddFirmware(List<string> arguments, LabNetwork network, MachineOptions options)
    {
        if (options.Firmware == Firmware.Bios)
        {
            // graphics=off: SeaBIOS and its network ROM print on the serial line.
            arguments.AddRange(["-machine", "pc,graphics=off"]);
            return;
        }
        var variables = VariablesFile(network, options);
        if (!File.Exists(variables))
            File.Copy(OvmfVariables, variables);
        arguments.AddRange(
        [
            "-machine", "q35",
            "-drive", $"if=pflash,format=raw,unit=0,readonly=on,file={OvmfCode}",
            "-drive", $"if=pflash,format=raw,unit=1,file={variables}",
            "-fw_cfg", "name=opt/org.tianocore/IPv6PXESupport,string=n",
        ]);
        if (options.Firmware == Firmware.UefiHttp)
            arguments.AddRange(["-fw_cfg", "name=opt/org.tianocore/IPv4PXESupport,string=n"]);
    }
}
