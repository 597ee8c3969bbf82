using ImageForge.Imaging.Disks;
using ImageForge.Imaging.FileSystems;
using ImageForge.Imaging.Manifests;

namespace ImageForge.Imaging.Tests.Doubles;

/// <summary>What a test may claim about a disk after a deploy, finished or not.</summary>
internal static class DiskCheck
{
    /// <summary>Every used byte of every volume equals the source; returns the first difference as text, or null.</summary>
    /// <param name="exceptHeads">Leave out the <see cref="HeadBytes"/> of each volume, which a deploy writes last.</param>
    public static string? Difference(Manifest manifest, IBlockDevice source, IBlockDevice target, bool exceptHeads = false)
    {
        foreach (var volume in manifest.Volumes)
            foreach (var chunk in volume.Chunks().Where(c => c.Kind != ChunkKind.Unused))
            {
                var offset = volume.Header.Partition.Offset + chunk.VolumeOffset;
                var expected = SyntheticImage.Read(source, offset, chunk.Length);
                var actual = SyntheticImage.Read(target, offset, chunk.Length);
                UsedBits.ClearUnused(chunk.UsedBits.Span, volume.Header.BlockSize, expected);
                UsedBits.ClearUnused(chunk.UsedBits.Span, volume.Header.BlockSize, actual);
                if (exceptHeads && chunk.VolumeOffset < HeadBytes(volume, source))
                {
                    var held = (int)Math.Min(HeadBytes(volume, source) - chunk.VolumeOffset, chunk.Length);
                    expected.AsSpan(0, held).Clear();
                    actual.AsSpan(0, held).Clear();
                }
                if (!expected.AsSpan().SequenceEqual(actual))
                    return $"volume {volume.Header.Partition.Number}, chunk {chunk.Index} ({chunk.Kind}), byte {expected.AsSpan().CommonPrefixLength(actual)}";
            }
        return null;
    }

    /// <summary>The tables and the gap equal the source's, for a target of the same size.</summary>
    public static string? TableDifference(Manifest manifest, IBlockDevice target)
    {
        foreach (var region in manifest.Regions)
            if (!SyntheticImage.Read(target, region.Offset, region.Length).AsSpan().SequenceEqual(region.Kind == RawRegionKind.Zeros ? new byte[region.Length] : region.Bytes.Span))
                return $"region {region.Kind} at {region.Offset}";
        return null;
    }

    /// <summary>What firmware finds its way by, or null: MBR signature or either GPT header.</summary>
    public static string? Table(IBlockDevice disk)
    {
        var size = disk.SectorSize;
        if (SyntheticImage.Read(disk, 0, size).AsSpan(510, 2).SequenceEqual((ReadOnlySpan<byte>)[0x55, 0xAA]))
            return "MBR signature";
        foreach (var at in (long[])[size, disk.SizeBytes - size])
            if (SyntheticImage.Read(disk, at, size).AsSpan().StartsWith("EFI PART"u8))
                return $"GPT header at {at}";
        return null;
    }

    /// <summary>
    /// An ISO 9660 descriptor, which leads firmware to an El Torito boot catalogue without any table: one per 2048 bytes from
    /// 32768, "CD001" at its byte 1 (ECMA-119 §8.1). Null if there is none.
    /// </summary>
    public static string? DiscRecord(IBlockDevice disk)
    {
        for (var at = 32768; at < 65536; at += 2048)
            if (SyntheticImage.Read(disk, at / 4096 * 4096, 4096).AsSpan(at % 4096 + 1).StartsWith("CD001"u8))
                return $"ISO 9660 descriptor at {at}";
        return null;
    }

    /// <summary>The first volume of the image whose head holds anything, or null.</summary>
    public static string? BootSector(Manifest manifest, IBlockDevice disk)
    {
        foreach (var volume in manifest.Volumes)
        {
            var head = Head(volume, disk);
            // In an image without a table the resume record lies in the head.
            if (volume.Header.Partition.Offset == 0)
                head.AsSpan(disk.SectorSize, disk.SectorSize).Clear();
            if (head.AsSpan().ContainsAnyExcept((byte)0))
                return $"boot sector of volume {volume.Header.Partition.Number}";
        }
        return null;
    }

    private static byte[] Head(ManifestVolume volume, IBlockDevice disk) => SyntheticImage.Read(disk, volume.Header.Partition.Offset, HeadBytes(volume, disk));

    /// <summary>Eight sectors, whatever lies where firmware looks for disc records, and what the kernel mounts the volume by.</summary>
    public static int HeadBytes(ManifestVolume volume, IBlockDevice disk) => (int)Math.Max(
        volume.Header.FileSystem switch { FileSystemKind.Btrfs => 65536 + 4096, FileSystemKind.F2fs => Math.Max(8192, 8 * disk.SectorSize), _ => 8 * disk.SectorSize },
        65536 - volume.Header.Partition.Offset);
}
