namespace ImageForge.Bench.Imaging;

/// <summary>A form of drift at a chunk size. The aims are for <em>update</em> at the default size; <em>scatter</em> and the other sizes are what that size was chosen from.</summary>
internal sealed record DriftCase(string Name, Func<string, long> Apply, int ChunkSize)
{
    private static readonly int[] s_sizes = [128 << 10, 256 << 10, 1 << 20];

    public string Size => $"{ChunkSize >> 10}KiB";

    public static IEnumerable<DriftCase> All(int chunkSize) =>
        from size in s_sizes.Append(chunkSize).Distinct().Order()
        from drift in new (string Name, Func<string, long> Apply)[] { ("update", root => Drift.Update(root, 1)), ("scatter", root => Drift.Scatter(root, 2)) }
        select new DriftCase(drift.Name, drift.Apply, size);
}
