using System.Collections.Concurrent;
using System.Threading.Channels;
using ImageForge.Contracts;
using ImageForge.Server.Hosts;

namespace ImageForge.Server.Boot;

/// <summary>
/// Who asked how to boot, on the way to the hosts table. Bounded and never waited for: a flood of made-up machines costs
/// memory for <see cref="Capacity"/> sightings and no more. Written by <see cref="SightingWriterService"/>.
/// </summary>
internal sealed class SightingQueue(BootOptions options, TimeProvider time)
{
    public const int Capacity = 4096;

    // A machine that asks again within this time is not news.
    private static readonly TimeSpan Repeat = TimeSpan.FromSeconds(30);

    private readonly Channel<HostSighting> _queue = Channel.CreateBounded<HostSighting>(new BoundedChannelOptions(Capacity)
    {
        SingleReader = true,
        FullMode = BoundedChannelFullMode.Wait,
    });

    private readonly TokenBuckets<string> _perSource = new(options.DiscoveryBurstPerSource, options.DiscoveriesPerSecondPerSource, time);
    private readonly ConcurrentDictionary<MacAddress, long> _recent = new();
    private long _dropped, _limited;

    /// <summary>Sightings lost because the queue was full.</summary>
    public long Dropped => Interlocked.Read(ref _dropped);

    /// <summary>Unknown machines not recorded because their source address announced too many.</summary>
    public long Limited => Interlocked.Read(ref _limited);

    /// <param name="known">A known host is only marked as seen; an unknown one counts against its source's limit.</param>
    public void Offer(HostSighting sighting, bool known)
    {
        var now = time.GetTimestamp();
        if (_recent.TryGetValue(sighting.Mac, out var last) && time.GetElapsedTime(last, now) < Repeat)
            return;
        if (!known && !_perSource.TryTake(sighting.Address))
        {
            Interlocked.Increment(ref _limited);
            return;
        }
        if (_recent.Count > 4 * Capacity)
            Forget(now);
        if (_queue.Writer.TryWrite(sighting))
            _recent[sighting.Mac] = now;
        else
            Interlocked.Increment(ref _dropped);
    }

    /// <summary>Waits for sightings and takes those that are there, one per MAC.</summary>
    internal async Task<IReadOnlyList<HostSighting>> TakeAsync(int most, CancellationToken cancellationToken)
    {
        await _queue.Reader.WaitToReadAsync(cancellationToken);
        var batch = new Dictionary<MacAddress, HostSighting>();
        while (batch.Count < most && _queue.Reader.TryRead(out var sighting))
            batch[sighting.Mac] = sighting;
        return [.. batch.Values];
    }

    private void Forget(long now)
    {
        foreach (var (mac, last) in _recent)
        {
            if (time.GetElapsedTime(last, now) >= Repeat)
                _recent.TryRemove(mac, out _);
        }
        // All of them recent: a flood. Forgetting them costs a repeated update at worst.
        if (_recent.Count > 4 * Capacity)
            _recent.Clear();
    }
}
