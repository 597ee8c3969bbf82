using System.Buffers.Binary;
using System.Security.Cryptography;
using ImageForge.Imaging.Disks;
using ImageForge.Imaging.Manifests;

namespace ImageForge.Imaging.Deploy;

/// <summary>
/// Gives a disk an identity of its own: new disk and partition GUIDs (GPT) and a new disk signature (MBR, bytes 440–443). Chunks,
/// and what the file systems call themselves, stay as they are, so the image's hash still tells what is on the disk.
/// </summary>
public static class NewIdentity
{
    private const int SignatureAt = 440, UniqueGuidAt = 16, GuidBytes = 16;

    /// <summary>The image with other tables; deploy it under the hash of the original.</summary>
    public static Manifest Of(Manifest manifest)
    {
        if (manifest.Gpt is { } gpt)
            return manifest with { Gpt = gpt with { DiskGuid = NewGuid(), Entries = WithNewGuids(gpt), BootSector = WithNewSignature(gpt.BootSector) } };
        return manifest.Scheme == PartitionScheme.Mbr
            ? manifest with { Regions = [.. manifest.Regions.Select(r => r.Kind == RawRegionKind.BootSector ? r with { Bytes = WithNewSignature(r.Bytes.Span) } : r)] }
            : manifest;
    }

    private static byte[] WithNewGuids(GptTable gpt)
    {
        var entries = (byte[])gpt.Entries.Clone();
        for (var i = 0; i < gpt.EntryCount; i++)
        {
            var slot = entries.AsSpan(i * gpt.EntrySize, gpt.EntrySize);
            if (slot[..GuidBytes].ContainsAnyExcept((byte)0))
                NewGuid().TryWriteBytes(slot[UniqueGuidAt..]);
        }
        return entries;
    }

    /// <summary>Random, version 4 of RFC 9562 §5.4: what partitioning tools write.</summary>
    private static Guid NewGuid()
    {
        Span<byte> bytes = stackalloc byte[GuidBytes];
        RandomNumberGenerator.Fill(bytes);
        // The third field is stored with its low byte first.
        bytes[7] = (byte)(bytes[7] & 0x0F | 0x40);
        bytes[8] = (byte)(bytes[8] & 0x3F | 0x80);
        return new Guid(bytes);
    }

    /// <summary>A signature of zero says that there is none; that stays.</summary>
    private static byte[] WithNewSignature(ReadOnlySpan<byte> bootSector)
    {
        var sector = bootSector.ToArray();
        var signature = sector.AsSpan(SignatureAt, 4);
        if (BinaryPrimitives.ReadUInt32LittleEndian(signature) != 0)
            BinaryPrimitives.WriteInt32LittleEndian(signature, RandomNumberGenerator.GetInt32(1, int.MaxValue));
        return sector;
    }
}
