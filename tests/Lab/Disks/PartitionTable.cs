using System.Text.Json.Nodes;

namespace ImageForge.Lab.Disks;

/// <param name="Number">1 is the first.</param>
public sealed record Partition(int Number, long Offset, long Bytes, string Type, string Name);

/// <summary>A disk's partitions as util-linux reads them, which knows nothing of our own readers.</summary>
public static class PartitionTable
{
    public static async Task<IReadOnlyList<Partition>> ReadAsync(string disk)
    {
        var table = JsonNode.Parse(await Command.RunAsync("sfdisk", "--json", disk))!["partitiontable"]!;
        var sector = (long?)table["sectorsize"] ?? 512;
        return [.. table["partitions"]!.AsArray().Select((p, i) => new Partition(
            i + 1, (long)p!["start"]! * sector, (long)p["size"]! * sector, (string)p["type"]!, (string?)p["name"] ?? ""))];
    }
}
