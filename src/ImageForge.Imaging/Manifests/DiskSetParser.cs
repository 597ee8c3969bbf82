using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using ImageForge.Contracts;

namespace ImageForge.Imaging.Manifests;

/// <summary>Reads the file that holds several disks (README.md): hash first, then each length against what is left, then each manifest.</summary>
internal static class DiskSetParser
{
    private static readonly UTF8Encoding s_strict = new(false, throwOnInvalidBytes: true);

    public static bool TryParse(ReadOnlySpan<byte> file, int maxBodyBytes, [NotNullWhen(true)] out ImageDisks? image, [NotNullWhen(false)] out Failure? failure)
    {
        image = null;
        failure = null;
        if (file.Length < DiskSetFormat.HeaderBytes + DiskSetFormat.TrailerBytes)
        {
            failure = Corrupt("it is too short");
            return false;
        }
        var version = BinaryPrimitives.ReadUInt16LittleEndian(file[8..]);
        if (version != DiskSetFormat.Version)
        {
            failure = new Failure("manifestVersion", Fault.Image, $"The disk set has format version {version} and this program reads {DiskSetFormat.Version}.", "Update ImageForge on this side.");
            return false;
        }
        var content = file[..^DiskSetFormat.TrailerBytes];
        if (!SHA256.HashData(content).AsSpan().SequenceEqual(file[^DiskSetFormat.TrailerBytes..]))
        {
            failure = Corrupt("its SHA-256 does not match");
            return false;
        }
        var count = BinaryPrimitives.ReadUInt16LittleEndian(file[10..]);
        if (count is < 2 or > DiskSetFormat.MaxDisks || BinaryPrimitives.ReadUInt32LittleEndian(file[12..]) != 0)
        {
            failure = Corrupt(string.Create(CultureInfo.InvariantCulture, $"it announces {count} disks"));
            return false;
        }
        var rest = content[DiskSetFormat.HeaderBytes..];
        var disks = new List<ImageDisk>();
        for (var i = 0; i < count; i++)
        {
            if (!TryTake(ref rest, out var serial, out var manifestBytes))
            {
                failure = Corrupt(string.Create(CultureInfo.InvariantCulture, $"disk {i + 1} of {count} does not fit into it"));
                return false;
            }
            if (!ManifestParser.TryParse(manifestBytes, out var manifest, out failure, maxBodyBytes))
                return false;
            // The limit is for all disks together: what one took the next cannot.
            maxBodyBytes -= ManifestParser.BodyBytes(manifestBytes);
            disks.Add(new ImageDisk(serial, ManifestHash.Of(manifestBytes), manifest));
        }
        if (rest.Length > 0)
        {
            failure = Corrupt(string.Create(CultureInfo.InvariantCulture, $"{rest.Length} bytes follow the last disk"));
            return false;
        }
        image = new ImageDisks(disks);
        return true;
    }

    private static bool TryTake(ref ReadOnlySpan<byte> rest, out string? serial, out ReadOnlySpan<byte> manifest)
    {
        serial = null;
        manifest = default;
        if (rest.Length < 2)
            return false;
        var textLength = BinaryPrimitives.ReadUInt16LittleEndian(rest);
        rest = rest[2..];
        if (textLength != ManifestFormat.NoText)
        {
            if (textLength > ManifestFormat.MaxTextBytes || textLength > rest.Length)
                return false;
            try
            {
                serial = s_strict.GetString(rest[..textLength]);
            }
            catch (DecoderFallbackException)
            {
                return false;
            }
            rest = rest[textLength..];
        }
        if (rest.Length < 4)
            return false;
        var length = BinaryPrimitives.ReadUInt32LittleEndian(rest);
        rest = rest[4..];
        if (length > (uint)rest.Length)
            return false;
        manifest = rest[..(int)length];
        rest = rest[(int)length..];
        return true;
    }

    private static Failure Corrupt(string why) => new(
        "manifestCorrupt", Fault.Image, $"The disk set of the image is damaged: {why}.",
        "Deploy another version of the image, or capture it again.");
}
