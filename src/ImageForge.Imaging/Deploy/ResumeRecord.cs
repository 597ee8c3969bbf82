using ImageForge.Imaging.Disks;

namespace ImageForge.Imaging.Deploy;

/// <summary>The mark of an unfinished deploy, in sector 1 of the target.</summary>
/// <param name="ManifestHash">Lower-case hex SHA-256 of the manifest being deployed.</param>
/// <param name="HostTaskId">The host task that started it.</param>
public sealed record ResumeRecord(string ManifestHash, long HostTaskId, long DiskSizeBytes, int SectorSize)
{
    /// <summary>Null when the disk carries no intact record.</summary>
    public static ResumeRecord? ReadFrom(IBlockDevice disk) => throw new NotImplementedException();
}
