using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using ImageForge.Contracts;
using ImageForge.Imaging.Chunks;

namespace ImageForge.Imaging.Manifests;

/// <summary>
/// What an image file says: the disks of one machine, nearly always one. A file of one disk is its manifest; a file of several is a
/// <em>disk set</em> (README.md) that carries the manifest of each, unchanged.
/// </summary>
/// <param name="Disks">In the order in which the capture was told them; never empty.</param>
public sealed record ImageDisks(IReadOnlyList<ImageDisk> Disks)
{
    /// <summary>Used bytes over all disks.</summary>
    public long UsedBytes => Disks.Sum(d => d.Manifest.UsedBytes);

    public long DataBytes => Disks.Sum(d => d.Manifest.DataBytes);

    /// <summary>Sizes of the disks the image was taken from, added up.</summary>
    public long DiskSizeBytes => Disks.Sum(d => d.Manifest.DiskSizeBytes);

    /// <summary>Every data chunk with its plain length, disk by disk; an id that occurs several times is listed each time.</summary>
    public IEnumerable<(ChunkId Id, int PlainLength)> DataChunks() => Disks.SelectMany(d => d.Manifest.DataChunks());

    /// <summary>Bytes of a file's start that tell how many disks it has.</summary>
    public const int HeadBytes = DiskSetFormat.HeaderBytes;

    /// <summary>Number of disks that the start of a file announces, at least 1; nothing is checked.</summary>
    public static int CountOf(ReadOnlySpan<byte> head) =>
        DiskSetFormat.IsSet(head) && head.Length >= HeadBytes ? Math.Max((int)BinaryPrimitives.ReadUInt16LittleEndian(head[10..]), 1) : 1;

    /// <summary>The disks, or the reason why not: <c>manifestCorrupt</c>, <c>manifestVersion</c>.</summary>
    /// <param name="file">A manifest or a disk set. No reference to it is kept.</param>
    /// <param name="maxBodyBytes">Refuse larger manifest bodies, over all disks; the format's own limit is 512 MiB.</param>
    public static bool TryParse(
        ReadOnlySpan<byte> file,
        [NotNullWhen(true)] out ImageDisks? image,
        [NotNullWhen(false)] out Failure? failure,
        int maxBodyBytes = ManifestFormat.MaxBodyBytes)
    {
        if (DiskSetFormat.IsSet(file))
            return DiskSetParser.TryParse(file, maxBodyBytes, out image, out failure);
        image = ManifestParser.TryParse(file, out var manifest, out failure, maxBodyBytes)
            ? new ImageDisks([new ImageDisk(null, ManifestHash.Of(file), manifest)])
            : null;
        return image is not null;
    }
}

/// <param name="Serial">Of the disk the image was taken from, for people; null where it had none or the image has one disk only.</param>
/// <param name="ManifestHash">Of this disk's own manifest: what its resume record names.</param>
public sealed record ImageDisk(string? Serial, string ManifestHash, Manifest Manifest);
