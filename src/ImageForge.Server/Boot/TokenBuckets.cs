using System.Collections.Concurrent;

namespace ImageForge.Server.Boot;

/// <summary>
/// A token bucket per key (a source address, a MAC), bounded in number: under a flood of made-up keys the bucket that was idle
/// longest is forgotten, which only makes the limit more generous to it.
/// </summary>
internal sealed class TokenBuckets<TKey>(int burst, double perSecond, TimeProvider time, int maxKeys = 8192)
    where TKey : notnull
{
    private readonly ConcurrentDictionary<TKey, Bucket> _buckets = new();

    public bool TryTake(TKey key)
    {
        var now = time.GetTimestamp();
        if (_buckets.Count >= maxKeys && !_buckets.ContainsKey(key))
            ForgetIdlest();
        var bucket = _buckets.GetOrAdd(key, static (_, start) => new Bucket { Level = start.burst, At = start.now }, (burst, now));
        lock (bucket)
        {
            bucket.Level = Math.Min(burst, bucket.Level + time.GetElapsedTime(bucket.At, now).TotalSeconds * perSecond);
            bucket.At = now;
            if (bucket.Level < 1)
                return false;
            bucket.Level--;
            return true;
        }
    }

    private void ForgetIdlest()
    {
        // An eighth at once, so that a flood pays for this seldom.
        foreach (var (key, _) in _buckets.OrderBy(b => b.Value.At).Take(maxKeys / 8 + 1))
            _buckets.TryRemove(key, out _);
    }

    private sealed class Bucket
    {
        public double Level;
        public long At;
    }
}
