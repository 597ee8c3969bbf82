using System.Net;

namespace ImageForge.Server.Access;

/// <summary>Slows down guessing: so many attempts per key and window, counted before the secret is looked at.</summary>
internal sealed class AttemptLimiter(TimeProvider time)
{
    public static readonly TimeSpan Window = TimeSpan.FromMinutes(5);

    // Keys come from the network: beyond this the oldest windows are dropped.
    private const int MaxKeys = 10_000;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, Attempts> _attempts = new(StringComparer.Ordinal);

    /// <summary>False: too many attempts in this window; the attempt must not be made.</summary>
    public bool TryAttempt(string key, int limit)
    {
        var now = time.GetUtcNow();
        lock (_lock)
        {
            if (!_attempts.TryGetValue(key, out var attempts) || now - attempts.Since >= Window)
            {
                if (_attempts.Count >= MaxKeys)
                    Forget_NeedsLock(now);
                attempts = new Attempts(now, 0);
            }
            _attempts[key] = attempts with { Count = attempts.Count + 1 };
            return attempts.Count < limit;
        }
    }

    public void Reset(string key)
    {
        lock (_lock)
            _attempts.Remove(key);
    }

    /// <summary>One machine, or one IPv6 network: whoever has a /64 has all its addresses.</summary>
    public static string Source(IPAddress? address)
    {
        if (address is null)
            return "unknown";
        if (address.IsIPv4MappedToIPv6)
            address = address.MapToIPv4();
        return address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6
            ? Convert.ToHexString(address.GetAddressBytes().AsSpan(0, 8))
            : address.ToString();
    }

    private void Forget_NeedsLock(DateTimeOffset now)
    {
        foreach (var key in _attempts.Where(a => now - a.Value.Since >= Window).Select(a => a.Key).ToList())
            _attempts.Remove(key);
        foreach (var key in _attempts.OrderBy(a => a.Value.Since).Take(Math.Max(0, _attempts.Count - MaxKeys / 2)).Select(a => a.Key).ToList())
            _attempts.Remove(key);
    }

    private readonly record struct Attempts(DateTimeOffset Since, int Count);
}
