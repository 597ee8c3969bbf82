namespace ImageForge.Server.Data;

/// <param name="Total">How many there are in all.</param>
internal sealed record Page<T>(IReadOnlyList<T> Items, long Total);

/// <summary>Which part of a list is asked for: <c>?offset=0&amp;limit=100</c>.</summary>
internal readonly record struct Paging(int Offset, int Limit)
{
    public const int MaxLimit = 1000;

    /// <summary>Values out of range are brought into it: a list is no reason to refuse.</summary>
    public static Paging Of(int? offset, int? limit) => new(Math.Max(0, offset ?? 0), Math.Clamp(limit ?? 100, 1, MaxLimit));
}
