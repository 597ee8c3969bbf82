using System.Numerics;

namespace ImageForge.Imaging.FileSystems;

/// <summary>Chains of clusters in the FAT in use: four bytes per cluster from cluster 2 on, 0xFFFFFFFF ends a chain (exFAT specification §4).</summary>
internal sealed class ExFatChains(VolumeReader volume, ExFatBootSector boot)
{
    private const uint End = 0xFFFF_FFFF;

    private readonly long _fat = boot.FatOffset + boot.Active * boot.FatBytes;

    /// <summary>First byte of a cluster on the volume.</summary>
    public long OffsetOf(uint cluster) => boot.HeapOffset + (cluster - 2L) * boot.ClusterSize;

    /// <summary>First bytes of the clusters of a chain, in order.</summary>
    /// <exception cref="DamagedVolumeException">It leaves the volume or goes in circles.</exception>
    public IEnumerable<long> Follow(uint cluster)
    {
        // Brent: in a circle the place remembered last, moved on at each power of two, is met again.
        uint remembered = 0;
        for (long step = 1; cluster != End; step++)
        {
            if (cluster < 2 || cluster - 2 >= boot.Clusters)
                throw new DamagedVolumeException("a chain of clusters points outside the volume");
            if (cluster == remembered)
                throw new DamagedVolumeException("a chain of clusters goes in circles");
            if (BitOperations.IsPow2(step))
                remembered = cluster;
            yield return OffsetOf(cluster);
            cluster = volume.Read(_fat + 4L * cluster, 4).U32(0);
        }
    }
}
