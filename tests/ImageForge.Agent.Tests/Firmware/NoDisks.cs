using ImageForge.Agent.Inventory;
using ImageForge.Contracts;
using ImageForge.Imaging.Disks;

namespace ImageForge.Agent.Tests.Firmware;

internal sealed class NoDisks : IDisks
{
    public IReadOnlyList<DiskInventory> List() => [];

    public IBlockDevice OpenForReading(DiskInventory disk) => throw new InvalidOperationException("there is no disk to open");

    public IBlockDevice OpenForWriting(DiskInventory disk) => throw new InvalidOperationException("there is no disk to open");
}
