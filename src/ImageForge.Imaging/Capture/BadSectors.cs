using System.Globalization;
using ImageForge.Contracts;
using ImageForge.Imaging.Disks;
using ImageForge.Imaging.Manifests;

namespace ImageForge.Imaging.Capture;

/// <summary>
/// Used sectors that the disk could not read. A capture that allows them lists them in the manifest; one that does not fails with the
/// list, for which it reads on for a while: one bad sector seldom comes alone, and people want to know how bad it is.
/// </summary>
internal sealed class BadSectors(IBlockDevice source, bool allowed, TimeProvider time)
{
    /// <summary>More is a disk that falls apart, and a list that nobody reads.</summary>
    public const int MaxRanges = ManifestFormat.MaxDamagedRanges;

    /// <summary>How far a capture that has failed already looks for more.</summary>
    private const int SearchedRanges = 32;

    private static readonly TimeSpan s_searchTime = TimeSpan.FromSeconds(30);

    private readonly Lock _lock = new();
    private readonly SortedDictionary<int, (Partition Volume, List<DamagedRange> Ranges)> _found = [];
    private long _firstAt;

    /// <summary>Bytes that could not be read.</summary>
    public long Bytes { get; private set; }

    private int RangeCount => _found.Values.Sum(f => f.Ranges.Count);

    /// <param name="offset">Bytes from the volume's first.</param>
    /// <exception cref="FailureException"><c>diskMediumError</c>: not allowed, and enough are known; or too many even where they are.</exception>
    public void Add(Partition volume, long offset, int length, Exception reason)
    {
        lock (_lock)
        {
            if (_found.Count == 0)
                _firstAt = time.GetTimestamp();
            if (!_found.TryGetValue(volume.Number, out var found))
                _found[volume.Number] = found = (volume, []);
            Bytes += length;
            if (found.Ranges is [.., var last] && last.End == offset)
                found.Ranges[^1] = new DamagedRange(last.Offset, last.Length + length);
            else
                found.Ranges.Add(new DamagedRange(offset, length));
            if (allowed ? RangeCount > MaxRanges : RangeCount >= SearchedRanges)
                throw new FailureException(FailureNeedsLock(searchedAll: false), reason);
        }
        Check();
    }

    /// <summary>Ends the search for more once it has taken long enough.</summary>
    public void Check()
    {
        lock (_lock)
        {
            if (!allowed && _found.Count > 0 && time.GetElapsedTime(_firstAt) >= s_searchTime)
                throw new FailureException(FailureNeedsLock(searchedAll: false));
        }
    }

    /// <summary>Everything is read.</summary>
    public void Finish()
    {
        lock (_lock)
        {
            if (!allowed && _found.Count > 0)
                throw new FailureException(FailureNeedsLock(searchedAll: true));
        }
    }

    /// <summary>Ascending, none touching the next.</summary>
    public IReadOnlyList<DamagedRange> RangesOf(Partition volume)
    {
        lock (_lock)
        {
            var merged = new List<DamagedRange>();
            foreach (var range in _found.TryGetValue(volume.Number, out var found) ? found.Ranges.OrderBy(r => r.Offset) : Enumerable.Empty<DamagedRange>())
            {
                if (merged is [.., var last] && last.End == range.Offset)
                    merged[^1] = new DamagedRange(last.Offset, last.Length + range.Length);
                else
                    merged.Add(range);
            }
            return merged;
        }
    }

    private Failure FailureNeedsLock(bool searchedAll)
    {
        var sectors = Bytes / source.SectorSize;
        string sentence;
        if (sectors == 1 && searchedAll)
        {
            var (volume, ranges) = _found.Values.First();
            sentence = string.Create(CultureInfo.InvariantCulture, $"Sector {(volume.Offset + ranges[0].Offset) / source.SectorSize} of {source.Name} (volume {volume.Number}, byte {ranges[0].Offset}) cannot be read and is in use.");
        }
        else
        {
            var list = string.Join("; ", _found.Values.Select(f => string.Create(CultureInfo.InvariantCulture, $"volume {f.Volume.Number}: {DamagedRange.Describe(f.Ranges, f.Volume.Offset, source.SectorSize)}")));
            sentence = string.Create(CultureInfo.InvariantCulture, $"{(searchedAll ? "" : "At least ")}{sectors} used {(sectors == 1 ? "sector" : "sectors")} of {source.Name} cannot be read ({list}).");
        }
        return new Failure("diskMediumError", Fault.Disk, sentence, allowed
            ? "So many bad sectors mean that the disk is failing: rescue its files with ddrescue and replace it."
            : "Check the disk with its maker's tool (SMART), repair the file system on it or replace the disk, then capture again; or allow read errors on the job, which marks the image as damaged.");
    }
}
