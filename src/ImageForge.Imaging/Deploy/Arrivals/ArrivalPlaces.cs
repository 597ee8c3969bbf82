using ImageForge.Imaging.Chunks;
using ImageForge.Imaging.Manifests;

namespace ImageForge.Imaging.Deploy.Arrivals;

/// <summary>
/// Where each chunk number of a stream is wanted: one place or many, on one disk or several. Four bytes per chunk, and four more
/// where any occurs twice. Immutable.
/// </summary>
internal sealed class ArrivalPlaces
{
    private readonly List<(int Disk, int Volume, ManifestVolume Of, int First)> _volumes = [];
    private readonly IReadOnlyList<ArrivalTarget> _targets;

    /// <summary>By chunk number: its first place + 1, 0 where it is not wanted. A place counts the data chunks of all volumes.</summary>
    private readonly int[] _first;

    /// <summary>By place: the next one of the same chunk + 1. Null: no chunk is wanted twice.</summary>
    private readonly int[]? _next;

    public ArrivalPlaces(ChunkNumbers numbers, IReadOnlyList<ArrivalTarget> targets)
    {
        _targets = targets;
        _first = new int[numbers.Count];
        var places = 0;
        for (var d = 0; d < targets.Count; d++)
            for (var v = 0; v < targets[d].Manifest.Volumes.Count; v++)
            {
                var volume = targets[d].Manifest.Volumes[v];
                _volumes.Add((d, v, volume, places));
                places = checked(places + volume.Runs.IdCount);
            }
        // Backwards, so that the places of a chunk come out in the order of the disks.
        int[]? next = null;
        foreach (var (disk, v, volume, first) in _volumes.AsEnumerable().Reverse())
            volume.Runs.EachIdBackwards((chunk, id) =>
            {
                // A manifest that gives one id two lengths is wrong about one of them: that place is left to the fetch, which will tell.
                if (targets[disk].IsDone(v, chunk) || !numbers.TryGetNumber(volume.IdAt(id), out var number) || numbers.PlainLength(number) != volume.Header.ChunkLength(chunk))
                    return;
                if (_first[number] != 0)
                    (next ??= new int[places])[first + id] = _first[number];
                _first[number] = first + id + 1;
            });
        _next = next;
    }

    public bool IsWanted(int number) => _first[number] != 0;

    public IEnumerable<(SpanKey Span, int Chunk)> Of(int number)
    {
        for (var place = _first[number]; place != 0; place = _next?[place - 1] ?? 0)
        {
            var volume = _volumes[VolumeOf(place - 1)];
            var chunk = volume.Of.Runs.ChunkOfId(place - 1 - volume.First);
            yield return (new SpanKey(volume.Disk, volume.Volume, chunk / _targets[volume.Disk].SpanChunks(volume.Volume)), chunk);
        }
    }

    private int VolumeOf(int place)
    {
        // Volumes without data begin where the next one does, so the last that begins at or before it is the one.
        var v = _volumes.Count - 1;
        while (_volumes[v].First > place)
            v--;
        return v;
    }
}
