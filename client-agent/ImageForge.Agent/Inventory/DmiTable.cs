namespace ImageForge.Agent.Inventory;

/// <summary>
/// What the firmware says about the machine: /sys/class/dmi/id, filled by the kernel from SMBIOS types 0, 1, 2 and 3.
/// Junk such as "To be filled by O.E.M." is passed on as it is: the server decides what counts as absent.
/// </summary>
internal sealed record DmiTable(string? Uuid, string? Serial, string? AssetTag, string? Manufacturer, string? Product, string? FirmwareVersion)
{
    private const string Folder = "/sys/class/dmi/id/";

    public static DmiTable Read(SystemRoot root) => new(
        root.Text(Folder + "product_uuid")?.ToLowerInvariant(),
        root.Text(Folder + "product_serial") ?? root.Text(Folder + "chassis_serial") ?? root.Text(Folder + "board_serial"),
        root.Text(Folder + "chassis_asset_tag"),
        root.Text(Folder + "sys_vendor") ?? root.Text(Folder + "board_vendor"),
        root.Text(Folder + "product_name") ?? root.Text(Folder + "board_name"),
        root.Text(Folder + "bios_version"));
}
