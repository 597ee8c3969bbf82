using ImageForge.Agent.Firmware;
using ImageForge.Agent.Inventory;

namespace ImageForge.Agent.Tests.Firmware;

/// <summary>A folder that looks like efivarfs after a boot from the network: entry 0003, first in the order.</summary>
internal sealed class FirmwareFolder : IDisposable
{
    public static readonly Guid OldPartition = new("11111111-2222-3333-4444-555555555555");
    private readonly TemporaryFolder _folder = new();

    public FirmwareFolder(bool uefi = true)
    {
        Variables = new EfiVariables(Root);
        if (!uefi)
            return;
        Directory.CreateDirectory(Root.Path("/sys/firmware/efi/efivars"));
        Add(3, "UEFI PXEv4", Network);
        Order(3);
        Variables.Write("BootCurrent", [3, 0]);
    }

    public SystemRoot Root => new(_folder.Path);

    public EfiVariables Variables { get; }

    public BootTable Table => BootTable.Read(Variables);

    /// <summary>A network card and IPv4, as OVMF writes it.</summary>
    public static DevicePath Network { get; } = new([2, 1, 12, 0, 0xD0, 0x41, 3, 10, 0, 0, 0, 0, 3, 11, 37, 0, .. new byte[33], 3, 12, 27, 0, .. new byte[23], 0x7F, 0xFF, 4, 0]);

    public IReadOnlyList<string> Descriptions => [.. Table.Order.Select(n => Table.Entries.TryGetValue(n, out var entry) ? entry.Description : $"{n:X4}?")];

    public static DevicePath Loader(Guid partition, string file) => DevicePath.OfLoader(1, 2048, 204800, partition, file);

    public void Add(ushort number, string description, DevicePath path, byte[]? data = null) =>
        Variables.Write(BootTable.NameOf(number), new LoadOption(LoadOption.Active, description, path, data ?? []).ToBytes());

    public void Order(params ushort[] numbers) => Variables.Write("BootOrder", BootTable.ToBytes(numbers));

    public void Dispose() => _folder.Dispose();
}
