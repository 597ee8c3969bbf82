namespace ImageForge.Imaging.Manifests;

/// <summary>What a run of neighbouring chunks has in common; the numbers are those of the format.</summary>
internal enum RunKind : byte
{
    Unused = 0,
    Zero = 1,
    Data = 2,
    /// <summary>Zero or data with blocks that are not used: a map tells which.</summary>
    PartlyZero = 3,
    PartlyData = 4,
}

/// <summary>The kinds of all chunks of a volume as runs: a few entries for terabytes, at most 13 bytes per chunk.</summary>
internal sealed class ChunkRuns
{
    private readonly int[] _first;
    private readonly int[] _firstId;
    private readonly int[] _firstMap;
    private readonly RunKind[] _kind;

    private ChunkRuns(int chunkCount, int[] first, int[] firstId, int[] firstMap, RunKind[] kind, int idCount, int mapCount) =>
        (ChunkCount, _first, _firstId, _firstMap, _kind, IdCount, MapCount) = (chunkCount, first, firstId, firstMap, kind, idCount, mapCount);

    public int ChunkCount { get; }
    public int IdCount { get; }
    public int MapCount { get; }
    public int RunCount => _kind.Length;

    public static bool HasId(RunKind kind) => kind is RunKind.Data or RunKind.PartlyData;

    public static bool HasMap(RunKind kind) => kind is RunKind.PartlyZero or RunKind.PartlyData;

    /// <summary>Kind, chunks in the run, first chunk, and the index of its first id and map.</summary>
    public (RunKind Kind, int Count, int First, int FirstId, int FirstMap) Run(int run) =>
        (_kind[run], (run + 1 < _first.Length ? _first[run + 1] : ChunkCount) - _first[run], _first[run], _firstId[run], _firstMap[run]);

    public int RunOf(int chunk)
    {
        var found = Array.BinarySearch(_first, chunk);
        return found >= 0 ? found : ~found - 1;
    }

    /// <summary>Calls <paramref name="visit"/> with each data chunk and the index of its id, the last one first.</summary>
    public void EachIdBackwards(Action<int, int> visit)
    {
        for (var r = RunCount - 1; r >= 0; r--)
        {
            var (kind, count, first, firstId, _) = Run(r);
            for (var i = HasId(kind) ? count - 1 : -1; i >= 0; i--)
                visit(first + i, firstId + i);
        }
    }

    /// <summary>The data chunk that has the id at <paramref name="index"/>.</summary>
    public int ChunkOfId(int index)
    {
        // The last run that begins at or before it: runs without ids share the number of the one behind them.
        var (low, high) = (0, RunCount - 1);
        while (low < high)
        {
            var middle = (low + high + 1) / 2;
            if (_firstId[middle] <= index)
                low = middle;
            else
                high = middle - 1;
        }
        return _first[low] + index - _firstId[low];
    }

    /// <summary>Collects runs in order; neighbours of one kind grow together.</summary>
    /// <param name="capacity">Expected number of runs; exact when known, so that nothing is copied.</param>
    public sealed class Builder(int capacity = 16)
    {
        private int[] _first = new int[capacity], _firstId = new int[capacity], _firstMap = new int[capacity];
        private RunKind[] _kind = new RunKind[capacity];
        private int _runs, _chunks, _ids, _maps;

        public RunKind? LastKind => _runs > 0 ? _kind[_runs - 1] : null;

        public void Add(RunKind kind, int count)
        {
            if (LastKind != kind)
            {
                if (_runs == _kind.Length)
                    Resize(Math.Max(16, 2 * _runs));
                (_first[_runs], _firstId[_runs], _firstMap[_runs], _kind[_runs]) = (_chunks, _ids, _maps, kind);
                _runs++;
            }
            _chunks += count;
            _ids += HasId(kind) ? count : 0;
            _maps += HasMap(kind) ? count : 0;
        }

        public ChunkRuns Build()
        {
            if (_runs != _kind.Length)
                Resize(_runs);
            return new ChunkRuns(_chunks, _first, _firstId, _firstMap, _kind, _ids, _maps);
        }

        private void Resize(int size)
        {
            Array.Resize(ref _first, size);
            Array.Resize(ref _firstId, size);
            Array.Resize(ref _firstMap, size);
            Array.Resize(ref _kind, size);
        }
    }
}
