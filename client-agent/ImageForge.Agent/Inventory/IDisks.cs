using ImageForge.Contracts;
using ImageForge.Imaging.Disks;

namespace ImageForge.Agent.Inventory;

/// <summary>The disks a task may use: the machine's, or image files in tests.</summary>
internal interface IDisks
{
    IReadOnlyList<DiskInventory> List();

    /// <exception cref="DiskException">It cannot be opened.</exception>
    IBlockDevice OpenForReading(DiskInventory disk);

    /// <exception cref="DiskException">It cannot be opened, or something else uses it.</exception>
    IBlockDevice OpenForWriting(DiskInventory disk);
}

internal sealed class MachineDisks(SystemRoot root) : IDisks
{
    public IReadOnlyList<DiskInventory> List() => DiskTable.Read(root);

    public IBlockDevice OpenForReading(DiskInventory disk) => LinuxBlockDevice.OpenForReading("/dev/" + disk.Name);

    public IBlockDevice OpenForWriting(DiskInventory disk) => LinuxBlockDevice.OpenForWriting("/dev/" + disk.Name);
}

/// <summary>Image files that stand in for disks; each is its own serial number.</summary>
internal sealed class FileDisks(IReadOnlyList<KeyValuePair<string, string>> files) : IDisks
{
    public IReadOnlyList<DiskInventory> List() =>
        [.. files.Select(f => new DiskInventory(f.Key, "image file", f.Key, null, new FileInfo(f.Value).Length, 512, 512, false, false, false, "file", false))];

    public IBlockDevice OpenForReading(DiskInventory disk) => ImageFileDevice.OpenForReading(PathOf(disk));

    public IBlockDevice OpenForWriting(DiskInventory disk) => ImageFileDevice.OpenForWriting(PathOf(disk));

    private string PathOf(DiskInventory disk) => files.First(f => f.Key == disk.Name).Value;
}
