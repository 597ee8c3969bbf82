namespace ImageForge.Imaging.Disks;

/// <summary>Finds out how a disk is divided. Reads only the first MiB and the end of the disk.</summary>
public static class PartitionTables
{
    /// <exception cref="DiskException">A sector of the tables cannot be read.</exception>
    public static PartitionTableReading Read(IBlockDevice disk) => throw new NotImplementedException(disk.Name);
}
