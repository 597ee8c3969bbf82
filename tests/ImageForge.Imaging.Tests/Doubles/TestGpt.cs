using System.Buffers.Binary;
using System.Text;
using ImageForge.Imaging.Disks;

namespace ImageForge.Imaging.Tests.Doubles;

/// <summary>A GPT made by hand, for any sector size.</summary>
internal static class TestGpt
{
    private static readonly Guid s_linux = new("0fc63daf-8483-4772-8e79-3d69d8477de4");

    /// <param name="partitions">First byte and length of each.</param>
    public static GptTable Table(long diskBytes, int sectorSize, params (long Offset, long Length)[] partitions)
    {
        var entries = new byte[128 * 128];
        for (var i = 0; i < partitions.Length; i++)
        {
            var slot = entries.AsSpan(i * 128, 128);
            s_linux.TryWriteBytes(slot);
            new Guid(i + 1, 2, 3, [4, 5, 6, 7, 8, 9, 10, 11]).TryWriteBytes(slot[16..]);
            BinaryPrimitives.WriteInt64LittleEndian(slot[32..], partitions[i].Offset / sectorSize);
            BinaryPrimitives.WriteInt64LittleEndian(slot[40..], (partitions[i].Offset + partitions[i].Length) / sectorSize - 1);
            Encoding.Unicode.GetBytes($"part {i + 1}", slot[56..]);
        }
        var sectors = diskBytes / sectorSize;
        var entrySectors = entries.Length / sectorSize;
        var boot = new byte[sectorSize];
        boot.AsSpan(0, 400).Fill(0x90);
        // The protective MBR: one partition of type EE over the whole disk.
        boot[447] = 0; boot[448] = 2; boot[450] = 0xEE;
        BinaryPrimitives.WriteUInt32LittleEndian(boot.AsSpan(454), 1);
        BinaryPrimitives.WriteUInt32LittleEndian(boot.AsSpan(458), (uint)Math.Min(sectors - 1, uint.MaxValue));
        boot[510] = 0x55; boot[511] = 0xAA;
        return new GptTable(sectorSize, sectors, new Guid(99, 2, 3, [4, 5, 6, 7, 8, 9, 10, 11]), 2 + entrySectors, sectors - 2 - entrySectors, 2, sectors - 1 - entrySectors, sectors - 1, 128, 128, entries, boot);
    }

    public static void WriteTo(IBlockDevice disk, params (long Offset, long Length)[] partitions)
    {
        foreach (var write in GptWriter.Rebuild(Table(disk.SizeBytes, disk.SectorSize, partitions), disk.SizeBytes, disk.SectorSize))
            disk.Write(write.Offset, write.Bytes);
    }
}
