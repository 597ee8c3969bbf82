using ImageForge.Imaging.Chunks;
using ImageForge.Imaging.FileSystems;

namespace ImageForge.Imaging.Manifests;

/// <summary>
/// Makes a volume's part of the manifest while its chunks are read: first the used-block map says which chunks are candidates,
/// then each candidate turns out to be data or zero, in any order and from any thread.
/// </summary>
internal sealed class ManifestVolumeBuilder
{
    private readonly BlockMap _used;
    private readonly BlockMap? _skipped;
    private readonly int _blocksPerBit;
    private readonly byte[] _ids;
    private readonly bool[] _isData;

    /// <exception cref="Contracts.FailureException"><c>tooManyChunks</c>.</exception>
    /// <param name="used">One bit per <paramref name="content"/> block; blocks larger than a chunk are split.</param>
    public ManifestVolumeBuilder(Disks.Partition partition, VolumeContent content, int chunkSize)
    {
        // Clusters may be as large as 2 MiB (NTFS): the format's blocks never exceed a chunk.
        _blocksPerBit = Math.Max(1, content.BlockSize / chunkSize);
        (_used, _skipped) = (content.Used, content.Skipped);
        Header = new VolumeHeader(partition, content.Kind, content.Uuid, content.Label, content.Note, Math.Min(content.BlockSize, chunkSize), chunkSize);
        ChunkUsage? before = null;
        for (var i = 0; i < Header.ChunkCount; i++)
        {
            var usage = UsageOf(i);
            UsageRuns += usage == before ? 0 : 1;
            before = usage;
            if (usage == ChunkUsage.None)
                continue;
            CandidateCount++;
            MapBytes += usage == ChunkUsage.Some ? ManifestVolume.MapBytes(Header.ChunkBlocks(i)) : 0;
            ReadBytes += ReadBytesOf(i);
        }
        ManifestRoom.CheckCandidates(partition, CandidateCount, chunkSize);
        _ids = new byte[(long)CandidateCount * ChunkId.Size];
        _isData = new bool[CandidateCount];
    }

    public VolumeHeader Header { get; }

    public int CandidateCount { get; }

    /// <summary>Bytes of used blocks whose content is to be read: all but the skipped ones.</summary>
    public long ReadBytes { get; }

    /// <summary>Bytes of the maps of all partly used chunks.</summary>
    public long MapBytes { get; }

    /// <summary>How often the usage differs from that of the chunk before.</summary>
    public long UsageRuns { get; }

    public ChunkUsage UsageOf(int chunk)
    {
        if (_blocksPerBit > 1)
            return _used[chunk / _blocksPerBit] ? ChunkUsage.All : ChunkUsage.None;
        var blocks = Header.ChunkBlocks(chunk);
        var count = _used.CountUsed(FirstBlock(chunk), blocks);
        return count == 0 ? ChunkUsage.None : count == blocks ? ChunkUsage.All : ChunkUsage.Some;
    }

    /// <summary>Bytes of a chunk's used blocks that are to be read; 0 if all of them are skipped: such a chunk is zero.</summary>
    public long ReadBytesOf(int chunk)
    {
        if (_blocksPerBit > 1)
            return UsageOf(chunk) == ChunkUsage.All && !IsSkipped(chunk / _blocksPerBit) ? Header.ChunkLength(chunk) : 0;
        var first = FirstBlock(chunk);
        var blocks = Header.ChunkBlocks(chunk);
        var last = first + blocks - 1;
        var cut = blocks * (long)Header.BlockSize - Header.ChunkLength(chunk);
        var count = _skipped is null ? _used.CountUsed(first, blocks) : _used.CountWithout(_skipped, first, blocks);
        return count * Header.BlockSize - (_used[last] && !IsSkipped(last) ? cut : 0);
    }

    /// <summary>Which blocks of a chunk are to be read; what is not is zero in the chunk. Empty: every one.</summary>
    public byte[] ReadBitsOf(int chunk)
    {
        var length = ReadBytesOf(chunk);
        if (length == Header.ChunkLength(chunk))
            return [];
        var bits = BitsOf(chunk);
        if (_skipped is null)
            return bits;
        var skipped = new byte[bits.Length];
        _skipped.CopyTo(FirstBlock(chunk), Header.ChunkBlocks(chunk), skipped);
        for (var i = 0; i < bits.Length; i++)
            bits[i] &= (byte)~skipped[i];
        return bits;
    }

    /// <summary>The map of a chunk whose usage is <see cref="ChunkUsage.Some"/>.</summary>
    public byte[] BitsOf(int chunk)
    {
        var bits = new byte[ManifestVolume.MapBytes(Header.ChunkBlocks(chunk))];
        _used.CopyTo(FirstBlock(chunk), Header.ChunkBlocks(chunk), bits);
        return bits;
    }

    /// <param name="candidate">How many chunks with used blocks come before it.</param>
    public void SetData(int candidate, ChunkId id)
    {
        id.CopyTo(_ids.AsSpan(candidate * ChunkId.Size));
        _isData[candidate] = true;
    }

    /// <summary>Once every data chunk is known; the others are zero.</summary>
    /// <param name="damaged">What could not be read.</param>
    public ManifestVolume Build(IReadOnlyList<DamagedRange>? damaged = null)
    {
        var runs = new ChunkRuns.Builder();
        using var maps = new MemoryStream();
        var candidate = 0;
        var data = 0;
        for (var i = 0; i < Header.ChunkCount; i++)
        {
            var usage = UsageOf(i);
            if (usage == ChunkUsage.None)
            {
                runs.Add(RunKind.Unused, 1);
                continue;
            }
            if (usage == ChunkUsage.Some)
                maps.Write(BitsOf(i));
            if (_isData[candidate])
            {
                _ids.AsSpan(candidate * ChunkId.Size, ChunkId.Size).CopyTo(_ids.AsSpan(data++ * ChunkId.Size));
                runs.Add(usage == ChunkUsage.Some ? RunKind.PartlyData : RunKind.Data, 1);
            }
            else
            {
                runs.Add(usage == ChunkUsage.Some ? RunKind.PartlyZero : RunKind.Zero, 1);
            }
            candidate++;
        }
        return new ManifestVolume(Header, runs.Build(), maps.ToArray(), _ids.AsMemory(0, data * ChunkId.Size), damaged);
    }

    private bool IsSkipped(long block) => _skipped?[block] ?? false;

    private long FirstBlock(int chunk) => chunk * (long)(Header.ChunkSize / Header.BlockSize);
}

/// <summary>How many blocks of a chunk hold content.</summary>
internal enum ChunkUsage { None, Some, All }
