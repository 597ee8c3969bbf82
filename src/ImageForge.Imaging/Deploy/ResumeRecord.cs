using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using ImageForge.Imaging.Disks;

namespace ImageForge.Imaging.Deploy;

/// <summary>
/// The mark of an unfinished deploy, in sector 1 of the target: where a GPT keeps its header, so that finishing replaces it in
/// one sector write. A deploy of selected volumes leaves the table alone: then the mark is in sector 1 of each of these volumes.
/// <code>
///   0  4  FA F4 EB FD: cli, hlt, jump back. A boot sector that loads sector 1 as code (GRUB on an MBR disk) stops there.
///   4  8  "IFRESUME"
///  12  2  version 1, little-endian as everything below
///  14  2  0
///  16 32  SHA-256 of the manifest file
///  48  8  host task id
///  56  8  disk size in bytes
///  64  4  sector size in bytes
///  68  4  plan: 0 = the image's own layout on the whole disk, else a mark of the layout (<see cref="WritePlan.Layout"/>)
/// 480 32  SHA-256 of bytes 0 to 479
/// </code>
/// </summary>
/// <param name="ManifestHash">Lower-case hex SHA-256 of the manifest being deployed.</param>
/// <param name="HostTaskId">The host task that started it.</param>
/// <param name="Layout">0: the image's own layout on the whole disk.</param>
public sealed record ResumeRecord(string ManifestHash, long HostTaskId, long DiskSizeBytes, int SectorSize, uint Layout = 0)
{
    private const int HashAt = 480, Length = 512;

    private static ReadOnlySpan<byte> Magic => [0xFA, 0xF4, 0xEB, 0xFD, (byte)'I', (byte)'F', (byte)'R', (byte)'E', (byte)'S', (byte)'U', (byte)'M', (byte)'E'];

    /// <summary>Null when the disk carries no intact record.</summary>
    /// <exception cref="DiskException">The sector cannot be read.</exception>
    public static ResumeRecord? ReadFrom(IBlockDevice disk) => ReadFrom(disk, 0, disk.SizeBytes);

    /// <summary>The record of a deploy of selected volumes inside one of them.</summary>
    /// <exception cref="DiskException">The sector cannot be read.</exception>
    public static ResumeRecord? ReadFrom(IBlockDevice disk, Partition volume) => ReadFrom(disk, volume.Offset, volume.Length);

    private static ResumeRecord? ReadFrom(IBlockDevice disk, long offset, long length)
    {
        if (length < 2 * disk.SectorSize)
            return null;
        using var buffer = AlignedBuffer.Rent(disk.SectorSize);
        disk.Read(offset + disk.SectorSize, buffer.Span);
        return Parse(buffer.Span);
    }

    internal static ResumeRecord? Parse(ReadOnlySpan<byte> sector)
    {
        if (sector.Length < Length || !sector.StartsWith(Magic) || BinaryPrimitives.ReadUInt16LittleEndian(sector[12..]) != 1)
            return null;
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(sector[..HashAt], hash);
        if (!hash.SequenceEqual(sector[HashAt..Length]))
            return null;
        return new ResumeRecord(
            Convert.ToHexStringLower(sector.Slice(16, 32)),
            BinaryPrimitives.ReadInt64LittleEndian(sector[48..]),
            BinaryPrimitives.ReadInt64LittleEndian(sector[56..]),
            BinaryPrimitives.ReadInt32LittleEndian(sector[64..]),
            BinaryPrimitives.ReadUInt32LittleEndian(sector[68..]));
    }

    /// <summary>Whether it marks this very deploy, so that what is on the disk is a part of it.</summary>
    internal bool IsOf(string manifestHash, long diskSizeBytes, int sectorSize, uint layout) =>
        ManifestHash == manifestHash && DiskSizeBytes == diskSizeBytes && SectorSize == sectorSize && Layout == layout;

    /// <summary>Fills one sector.</summary>
    internal void WriteTo(Span<byte> sector)
    {
        sector.Clear();
        Magic.CopyTo(sector);
        BinaryPrimitives.WriteUInt16LittleEndian(sector[12..], 1);
        Convert.FromHexString(ManifestHash).CopyTo(sector[16..]);
        BinaryPrimitives.WriteInt64LittleEndian(sector[48..], HostTaskId);
        BinaryPrimitives.WriteInt64LittleEndian(sector[56..], DiskSizeBytes);
        BinaryPrimitives.WriteInt32LittleEndian(sector[64..], SectorSize);
        BinaryPrimitives.WriteUInt32LittleEndian(sector[68..], Layout);
        SHA256.HashData(sector[..HashAt], sector[HashAt..]);
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"manifest {ManifestHash}, host task {HostTaskId}");
}
