using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using ImageForge.Contracts;
using ImageForge.Imaging.Chunks;

namespace ImageForge.Imaging.Manifests;

/// <summary>
/// Reads a manifest file (README.md). Every length is checked before it is believed: hash first, then the claimed size of the
/// body against the limit, then each field against what is left, then extents against the disk and each other.
/// </summary>
public static class ManifestParser
{
    /// <summary>The manifest or the reason why not: <c>manifestCorrupt</c>, <c>manifestVersion</c>.</summary>
    /// <param name="file">No reference to it is kept.</param>
    /// <param name="maxBodyBytes">Refuse larger bodies; the format's own limit is 512 MiB.</param>
    public static bool TryParse(
        ReadOnlySpan<byte> file,
        [NotNullWhen(true)] out Manifest? manifest,
        [NotNullWhen(false)] out Failure? failure,
        int maxBodyBytes = ManifestFormat.MaxBodyBytes)
    {
        manifest = null;
        failure = null;
        if (DiskSetFormat.IsSet(file))
        {
            failure = new Failure("severalDisks", Fault.Image, "The image holds several disks, and one is expected here.", "Order a deploy of it through the server.");
            return false;
        }
        if (file.Length < ManifestFormat.HeaderBytes + ManifestFormat.TrailerBytes || !file.StartsWith(ManifestFormat.Magic))
        {
            failure = Corrupt("it does not begin like a manifest");
            return false;
        }
        var version = BinaryPrimitives.ReadUInt16LittleEndian(file[8..]);
        if (version != ManifestFormat.Version)
        {
            failure = new Failure("manifestVersion", Fault.Image, $"The manifest has format version {version} and this program reads {ManifestFormat.Version}.", "Update ImageForge on this side.");
            return false;
        }
        var content = file[..^ManifestFormat.TrailerBytes];
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(content, hash);
        if (!hash.SequenceEqual(file[^ManifestFormat.TrailerBytes..]))
        {
            failure = Corrupt("its SHA-256 does not match");
            return false;
        }
        var problem = TryOpenBody(content, Math.Min(maxBodyBytes, ManifestFormat.MaxBodyBytes), out var body);
        if (problem is null)
            manifest = BodyParser.Parse(body, out problem);
        if (problem is not null)
        {
            manifest = null;
            failure = Corrupt(problem);
        }
        return manifest is not null;
    }

    /// <summary>Plain bytes of the body of a file that was parsed.</summary>
    internal static int BodyBytes(ReadOnlySpan<byte> file) => BinaryPrimitives.ReadInt32LittleEndian(file[12..]);

    private static string? TryOpenBody(ReadOnlySpan<byte> content, int maxBodyBytes, out byte[] body)
    {
        body = [];
        var reserved = BinaryPrimitives.ReadUInt16LittleEndian(content[10..]);
        var plainLength = BinaryPrimitives.ReadUInt32LittleEndian(content[12..]);
        var frameLength = BinaryPrimitives.ReadUInt32LittleEndian(content[16..]);
        reserved |= (ushort)(BinaryPrimitives.ReadUInt32LittleEndian(content[20..]) != 0 ? 1 : 0);
        var frame = content[ManifestFormat.HeaderBytes..];
        if (reserved != 0)
            return "reserved header bytes are set";
        if (frameLength != (uint)frame.Length)
            return $"its body should have {frameLength} bytes and has {frame.Length}";
        if (plainLength > (uint)maxBodyBytes)
            return $"its body of {plainLength} bytes exceeds {maxBodyBytes}";
        if (ZstdDecompressor.ClaimedLength(frame) != plainLength)
            return "its body is not a zstd frame of the announced size";
        body = GC.AllocateUninitializedArray<byte>((int)plainLength);
        using var zstd = new ZstdDecompressor();
        return zstd.TryDecompress(frame, body) ? null : "its body cannot be decompressed";
    }

    private static Failure Corrupt(string why) => new(
        "manifestCorrupt", Fault.Image, $"The manifest of the image is damaged: {why}.",
        "Deploy another version of the image, or capture it again.");
}
