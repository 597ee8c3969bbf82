using System.Text.Json;
using System.Text.Json.Serialization;
using ImageForge.Imaging.Manifests;

namespace ImageForge.Server.Images;

/// <summary>Sectors that the source disk could not read; the image holds zeros in their place.</summary>
/// <param name="Disk">From 0, in the order of the image.</param>
/// <param name="OffsetBytes">From the volume's first byte.</param>
internal sealed record DamagedPlace(int Disk, int Volume, long OffsetBytes, long LengthBytes);

/// <summary>What a damaged image lacks, as it is kept in the database and told by the API.</summary>
internal static class DamageList
{
    /// <summary>JSON; null: everything was read.</summary>
    public static string? Of(ImageDisks image)
    {
        var places = image.Disks.SelectMany(static (disk, number) => disk.Manifest.Volumes
            .SelectMany(volume => volume.Damaged.Select(range => new DamagedPlace(number, volume.Header.Partition.Number, range.Offset, range.Length)))).ToList();
        return places.Count == 0 ? null : JsonSerializer.Serialize(places, DamageJson.Default.ListDamagedPlace);
    }

    public static IReadOnlyList<DamagedPlace>? Parse(string? json) => json is null ? null : JsonSerializer.Deserialize(json, DamageJson.Default.ListDamagedPlace);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(List<DamagedPlace>))]
internal sealed partial class DamageJson : JsonSerializerContext;
