namespace ImageForge.Server.Data;

/// <summary>Columns of time hold Unix milliseconds UTC.</summary>
internal static class UnixMilliseconds
{
    public static long NowMilliseconds(this TimeProvider time) => time.GetUtcNow().ToUnixTimeMilliseconds();

    public static DateTimeOffset ToTime(this long milliseconds) => DateTimeOffset.FromUnixTimeMilliseconds(milliseconds);

    public static DateTimeOffset? ToTime(this long? milliseconds) => milliseconds is { } value ? value.ToTime() : null;
}
