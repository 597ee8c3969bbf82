using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using ImageForge.Imaging.Chunks;
using ImageForge.Imaging.Disks;

namespace ImageForge.Imaging.Manifests;

/// <summary>Writes the file that <see cref="ManifestParser"/> reads (README.md). The same manifest always gives the same bytes.</summary>
public static class ManifestWriter
{
    private const int Level = 3;

    public static byte[] Write(Manifest manifest)
    {
        using var stream = new MemoryStream();
        using (var writer = new BinaryWriter(stream, Encoding.UTF8, leaveOpen: true))
            WriteBody(writer, manifest);
        return Seal(stream.GetBuffer().AsSpan(0, (int)stream.Length));
    }

    /// <summary>Puts header, compression and hash around a body.</summary>
    internal static byte[] Seal(ReadOnlySpan<byte> body)
    {
        if (body.Length > ManifestFormat.MaxBodyBytes)
            throw new InvalidOperationException($"a manifest body of {body.Length} bytes exceeds {ManifestFormat.MaxBodyBytes}; choose a larger chunk size");
        var file = new byte[ManifestFormat.HeaderBytes + ZstdCompressor.Bound(body.Length) + ManifestFormat.TrailerBytes];
        using var zstd = new ZstdCompressor();
        var length = zstd.Compress(body, file.AsSpan(ManifestFormat.HeaderBytes), Level);
        ManifestFormat.Magic.CopyTo(file);
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(8), ManifestFormat.Version);
        BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(12), (uint)body.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(16), (uint)length);
        var content = ManifestFormat.HeaderBytes + length;
        SHA256.HashData(file.AsSpan(0, content), file.AsSpan(content));
        return file[..(content + ManifestFormat.TrailerBytes)];
    }

    internal static void WriteBody(BinaryWriter writer, Manifest manifest)
    {
        writer.Write(manifest.DiskSizeBytes);
        writer.Write(manifest.SectorSize);
        writer.Write((byte)manifest.Scheme);
        Text(writer, manifest.DiskModel);
        if (manifest.Scheme == PartitionScheme.Gpt)
            WriteGpt(writer, manifest.Gpt ?? throw new ArgumentException("a GPT disk needs its table", nameof(manifest)));
        writer.Write(checked((ushort)manifest.Regions.Count));
        foreach (var region in manifest.Regions)
        {
            writer.Write((byte)region.Kind);
            writer.Write(region.Offset);
            writer.Write(region.Length);
            writer.Write(region.Bytes.Span);
        }
        writer.Write(checked((ushort)manifest.Volumes.Count));
        foreach (var volume in manifest.Volumes)
            WriteVolume(writer, volume);
    }

    private static void WriteGpt(BinaryWriter writer, GptTable gpt)
    {
        writer.Write(gpt.DiskGuid.ToByteArray());
        foreach (var number in (ReadOnlySpan<long>)[gpt.DiskSectors, gpt.FirstUsableLba, gpt.LastUsableLba, gpt.PrimaryEntriesLba, gpt.BackupEntriesLba, gpt.BackupHeaderLba])
            writer.Write(number);
        writer.Write(gpt.EntryCount);
        writer.Write(gpt.EntrySize);
        writer.Write(gpt.Entries);
        writer.Write(gpt.BootSector);
    }

    private static void WriteVolume(BinaryWriter writer, ManifestVolume volume)
    {
        var header = volume.Header;
        writer.Write(header.Partition.Number);
        writer.Write(header.Partition.Offset);
        writer.Write(header.Partition.Length);
        Text(writer, header.Partition.Type);
        Text(writer, header.Partition.UniqueId);
        Text(writer, header.Partition.Name);
        writer.Write(header.Partition.Attributes);
        writer.Write((byte)header.FileSystem);
        Text(writer, header.Uuid);
        Text(writer, header.Label);
        Text(writer, header.Note);
        writer.Write(header.BlockSize);
        writer.Write(header.ChunkSize);
        writer.Write(checked((ushort)volume.Damaged.Count));
        foreach (var range in volume.Damaged)
        {
            writer.Write(range.Offset);
            writer.Write(range.Length);
        }
        writer.Write(volume.Runs.RunCount);
        for (var r = 0; r < volume.Runs.RunCount; r++)
        {
            var run = volume.Runs.Run(r);
            writer.Write((byte)run.Kind);
            writer.Write7BitEncodedInt(run.Count);
        }
        writer.Write(volume.Maps.Span);
        writer.Write(volume.Ids.Span);
    }

    /// <summary>u16 length and UTF-8. Device text may be anything: it is cut at the limit, between characters.</summary>
    internal static void Text(BinaryWriter writer, string? text)
    {
        if (text is null)
        {
            writer.Write(ManifestFormat.NoText);
            return;
        }
        Span<byte> bytes = stackalloc byte[ManifestFormat.MaxTextBytes];
        // A lone surrogate becomes U+FFFD; what does not fit is left out.
        System.Text.Unicode.Utf8.FromUtf16(text, bytes, out _, out var length);
        writer.Write((ushort)length);
        writer.Write(bytes[..length]);
    }
}
